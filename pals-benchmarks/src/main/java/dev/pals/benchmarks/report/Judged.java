package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Contestant.Role;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

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
        return failures().stream()
                .anyMatch(note -> Arrays.stream(Contestant.values())
                        .anyMatch(each -> each.id().equals(note.contender()) && bar.needs(note.load(), each)));
    }

    Optional<Spread> spread(String load, Contestant contestant, Metric metric) {
        return results.spread(load, contestant.id(), metric);
    }

    /** Of rates under the same load; none of somebody to himself. */
    Optional<Spread> ratio(Load load, Contestant contestant, Contestant to) {
        return contestant == to ? Optional.empty() : results.ratio(load.name(), contestant.id(), load.name(), to.id());
    }

    /** What was measured that is not a load. */
    List<String> costs() {
        List<String> loads = Loads.all().stream().map(Load::name).toList();
        return Stream.concat(
                        results.figures().stream().map(Figure::load),
                        results.notes().stream().map(Note::load))
                .distinct()
                .filter(cost -> !loads.contains(cost))
                .toList();
    }

    List<Contestant> contestants(Load load) {
        return Arrays.stream(Contestant.values())
                .filter(each -> spread(load.name(), each, Metric.RATE).isPresent())
                .toList();
    }

    /** The peer with the greatest median. */
    Optional<Contestant> fastestPeer(Load load) {
        return peers(load.name(), Metric.RATE).max(byMedian(load.name(), Metric.RATE));
    }

    /** The peer with the least median. */
    Optional<Contestant> cheapestPeer(String cost, Metric metric) {
        // Heap is a difference, which is noise where there is nothing to weigh.
        return peers(cost, metric)
                .filter(each -> spread(cost, each, metric).orElseThrow().median() > 0)
                .min(byMedian(cost, metric));
    }

    private Stream<Contestant> peers(String load, Metric metric) {
        return Arrays.stream(Contestant.values())
                .filter(each ->
                        each.role() == Role.PEER && spread(load, each, metric).isPresent());
    }

    private Comparator<Contestant> byMedian(String load, Metric metric) {
        return Comparator.comparingDouble(
                each -> spread(load, each, metric).orElseThrow().median());
    }
}
