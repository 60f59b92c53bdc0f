/** What the server is, and whether locks can be trusted to it. */
@NullMarked
package dev.pals.diagnostics;

import org.jspecify.annotations.NullMarked;
