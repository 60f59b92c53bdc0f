/** From figures to Markdown and SVG. */
@NullMarked
package dev.pals.benchmarks.report;

import org.jspecify.annotations.NullMarked;
