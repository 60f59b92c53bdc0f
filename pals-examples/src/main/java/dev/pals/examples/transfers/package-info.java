/**
 * The main job: processes that apply transfers between accounts, kept correct by nothing but locks.
 * {@link dev.pals.examples.transfers.Transfers} is its command, {@link dev.pals.examples.transfers.Worker} is where the
 * locks are used.
 */
@NullMarked
package dev.pals.examples.transfers;

import org.jspecify.annotations.NullMarked;
