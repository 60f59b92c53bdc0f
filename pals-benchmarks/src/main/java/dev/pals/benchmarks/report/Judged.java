package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Role;
import dev.pals.benchmarks.load.Load;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Results without the figures of contenders that have failed: one whose lock did not exclude, or that missed some
 * rounds, has nothing to compare.
 */
final class Judged {
    private final Results results = new Results();

    Judged(Results all) {
        all.settings().forEach((name, values) -> values.forEach(value -> results.setting(name, value)));
        all.notes().forEach(results::add);
        all.figures().stream()
                .filter(figure -> !failed(figure.load(), Contestant.of(figure.contender())))
                .forEach(results::add);
    }

    Results results() {
        return results;
    }

    List<Note> failures() {
        return results.notes().stream().filter(Note::failed).toList();
    }

    boolean failed(String load, Contestant contestant) {
        return failures().stream()
                .anyMatch(note -> note.load().equals(load) && note.contender().equals(contestant.id()));
    }

    boolean failed(Bar bar) {
        return failures().stream().anyMatch(note -> bar.needs(note.load(), Contestant.of(note.contender())));
    }

    Optional<Spread> spread(String load, Contestant contestant, Metric metric) {
        return results.spread(load, contestant.id(), metric);
    }

    /** Of rates under the same load; none of somebody to himself. */
    Optional<Spread> ratio(Load load, Contestant contestant, Contestant to) {
        return contestant == to ? Optional.empty() : results.ratio(load.name(), contestant.id(), load.name(), to.id());
    }

    List<Contestant> contestants(Load load) {
        return Arrays.stream(Contestant.values())
                .filter(each -> spread(load.name(), each, Metric.RATE).isPresent())
                .toList();
    }

    /** The peer with the greatest median. */
    Optional<Contestant> bestPeer(Load load) {
        return contestants(load).stream()
                .filter(each -> each.role() == Role.PEER)
                .max(Comparator.comparingDouble(each ->
                        spread(load.name(), each, Metric.RATE).orElseThrow().median()));
    }
}
