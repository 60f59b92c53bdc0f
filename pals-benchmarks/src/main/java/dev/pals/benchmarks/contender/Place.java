package dev.pals.benchmarks.contender;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Where contenders lock.
 *
 * @param url of the database
 * @param redis address of the Redis, if there is one
 * @param held how many locks a contender will be asked to hold
 */
public record Place(String url, @Nullable String redis, int held) implements Serializable {}
