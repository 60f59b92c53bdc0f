package dev.pals.benchmarks.report;

/** What a figure is about. */
public enum Metric {
    RATE("cycles/s"),
    P50("p50, µs"),
    P99("p99, µs"),
    P999("p99.9, µs"),
    LEAST_SHARE("least share of a JVM, %"),
    OPENING("opened and first lock, ms"),
    SERVER_CPU("server CPU, µs/cycle"),
    CLIENT_CPU("client CPU, µs/cycle"),
    STATEMENTS("statements/cycle"),
    CONNECTIONS("connections"),
    HEAP("heap of the clients, bytes each"),
    ALLOCATED("allocated, bytes/cycle"),
    CYCLE_TIME("time, µs/cycle"),
    NOTICED("lost connection noticed, ms");

    private final String title;

    Metric(String title) {
        this.title = title;
    }

    public String title() {
        return title;
    }
}
