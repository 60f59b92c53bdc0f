package dev.pals.lock;

import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * A lock that one request of this program has or waits for: what PostgreSQL cannot know of it.
 *
 * @param key of a request for several keys, one use for each that it has, and for the one that it waits for; while it
 *     pauses between two tries it has none, and waits for all
 * @param mode exclusive or shared
 * @param granted whether it has the lock; otherwise it waits, perhaps only for other threads of this program
 * @param thread the name of the thread that asked for the lock, or its number where it has no name
 * @param takenAt the line of the program that asked for it
 * @param since for how long it has had the lock, or has waited for it
 * @param pid PostgreSQL's process, which the audit view shows too; empty while it waits
 */
public record LockUse(
        LockKey key, LockMode mode, boolean granted, String thread, String takenAt, Duration since, OptionalInt pid) {}
