/** What is measured: threads, keys, and what they do. */
@NullMarked
package dev.pals.benchmarks.load;

import org.jspecify.annotations.NullMarked;
