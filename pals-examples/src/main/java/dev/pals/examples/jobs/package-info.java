/**
 * A job queue in a table: workers in several processes claim rows, each by its lock.
 * {@link dev.pals.examples.jobs.Jobs} is its command, {@link dev.pals.examples.jobs.JobWorker} is where the locks are
 * used.
 */
@NullMarked
package dev.pals.examples.jobs;

import org.jspecify.annotations.NullMarked;
