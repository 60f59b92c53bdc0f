package dev.pals.benchmarks.report;

import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The library as it comes, not whichever of its variants was the best, beside the floor and the best peer. */
final class Comparison {
    private static final List<Metric> OF_A_COST =
            List.of(Metric.CONNECTIONS, Metric.HEAP, Metric.CYCLE_TIME, Metric.ALLOCATED);

    private final Judged judged;
    private final Markdown document;
    private final List<String> behind = new ArrayList<>();

    Comparison(Judged judged, Markdown document) {
        this.judged = judged;
        this.document = document;
    }

    void write(boolean explained) {
        document.say(
                "## Ratios to the floor and to the best peer\n\nOf the library as it comes: "
                        + Contestant.PALS_2.title() + "; in locked transactions " + Contestant.PALS_TRANSACTION.title()
                        + ". The best peer is the one with the best median. Beside held locks raw JDBC is no floor: it holds them"
                        + " on the connection that is measured, and each statement takes longer there.\n\nCycles a second, so that more is better:\n\n");
        document.head(List.of("load", "/ raw JDBC", "best peer", "/ best peer"));
        Loads.all().forEach(this::load);
        document.say(
                "\nCosts, so that less is better, as ratios of medians, since they are not measured in rounds:\n\n");
        document.head(List.of("cost", "/ raw JDBC", "best peer", "/ best peer"));
        judged.costs().forEach(cost -> OF_A_COST.forEach(metric -> cost(cost, metric)));
        document.say("\n## Where PALs is behind\n\n");
        if (explained) {
            document.say("Why, and what would better it, is in [findings.md](" + Report.FINDINGS + ").\n\n");
        }
        document.say(behind.isEmpty() ? "In nothing that was measured.\n" : "");
        behind.forEach(each -> document.say("- " + each + ".\n"));
        document.say("\n");
    }

    private static Contestant ours(Load load) {
        return load.act() == Load.Act.TRANSACTION ? Contestant.PALS_TRANSACTION : Contestant.PALS_2;
    }

    private void load(Load load) {
        Contestant ours = ours(load);
        if (judged.failed(load.name(), ours)) {
            failed(load.title(), ours);
        } else if (judged.contestants(load).contains(ours)) {
            Optional<Contestant> peer = judged.fastestPeer(load);
            document.row(List.of(
                    load.title(),
                    Markdown.withRange(judged.ratio(load, ours, Contestant.RAW)),
                    peer.map(Contestant::title).orElse(Markdown.NOTHING),
                    Markdown.withRange(peer.flatMap(best -> judged.ratio(load, ours, best)))));
            Stream.concat(Stream.of(Contestant.RAW), peer.stream())
                    .forEach(other -> judged.ratio(load, ours, other)
                            .filter(ratio -> ratio.median() < 1)
                            .ifPresent(ratio -> behind.add(load.title() + ": " + ours.title() + " makes "
                                    + ratio.withRange() + " of " + other.title())));
        }
    }

    private void cost(String cost, Metric metric) {
        Contestant ours = Contestant.PALS_2;
        String what = cost + ": " + metric.title();
        if (judged.failed(cost, ours)) {
            if (metric == OF_A_COST.get(0)) {
                failed(cost, ours);
            }
        } else if (judged.spread(cost, ours, metric).isPresent()) {
            Optional<Contestant> peer = judged.cheapestPeer(cost, metric);
            document.row(List.of(
                    what,
                    ratio(cost, metric, Contestant.RAW).map(Spread::number).orElse(Markdown.NOTHING),
                    peer.map(Contestant::title).orElse(Markdown.NOTHING),
                    peer.flatMap(best -> ratio(cost, metric, best))
                            .map(Spread::number)
                            .orElse(Markdown.NOTHING)));
            Stream.concat(Stream.of(Contestant.RAW), peer.stream())
                    .forEach(other -> ratio(cost, metric, other)
                            .filter(ratio -> ratio > 1)
                            .ifPresent(ratio -> behind.add(what + ": " + ours.title() + " takes " + Spread.number(ratio)
                                    + " times what " + other.title() + " does")));
        }
    }

    private Optional<Double> ratio(String cost, Metric metric, Contestant to) {
        return judged.spread(cost, Contestant.PALS_2, metric)
                .flatMap(ours -> judged.spread(cost, to, metric).map(theirs -> ours.median() / theirs.median()));
    }

    private void failed(String title, Contestant ours) {
        document.row(List.of(title, Markdown.FAILED, Markdown.NOTHING, Markdown.FAILED));
        behind.add(title + ": " + ours.title() + " has failed");
    }
}
