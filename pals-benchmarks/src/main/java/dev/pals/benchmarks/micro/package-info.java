/** One thread's cycle under JMH. */
@NullMarked
package dev.pals.benchmarks.micro;

import org.jspecify.annotations.NullMarked;
