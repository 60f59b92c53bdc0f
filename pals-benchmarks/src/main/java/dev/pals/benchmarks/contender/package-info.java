/** The ways to lock that are compared, each as its documentation recommends. */
@NullMarked
package dev.pals.benchmarks.contender;

import org.jspecify.annotations.NullMarked;
