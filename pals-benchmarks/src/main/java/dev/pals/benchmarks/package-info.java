/** Speed and cost of locks on PostgreSQL, as ratios in one run. */
@NullMarked
package dev.pals.benchmarks;

import org.jspecify.annotations.NullMarked;
