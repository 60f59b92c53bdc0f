/** Runs loads in worker processes, contenders in turns, and looks at the server meanwhile. */
@NullMarked
package dev.pals.benchmarks.harness;

import org.jspecify.annotations.NullMarked;
