import Dispatch
import Foundation
import Logging
import MartletTestSupport
import Testing

@testable import MartletTelemetry

@Suite("Writing log lines")
struct WritingLogLines {
    @Test func writesEverythingInOrder() async {
        let place = MemoryPlace()
        let logs = Logs(into: place)
        let logger = logs.logger("martlet.test")
        for number in 0..<5000 { logger.info("line \(number)") }
        #expect(await logs.flush(within: .seconds(60)))
        let numbers = place.lines.compactMap { $0.firstMatch(of: /line (\d+)"/).flatMap { Int($0.1) } }
        #expect(numbers == Array(0..<5000))
        #expect(logs.statistics[0].writtenLines == 5000)
        #expect(logs.statistics[0].writtenBytes == place.text.utf8.count)
    }

    @Test func aStuckPlaceHoldsUpNeitherCallersNorOtherPlaces() async throws {
        let (stuck, other) = (MemoryPlace(isStuck: true), MemoryPlace())
        let logs = Logs(into: stuck, other, bounds: .init(bytes: 16 << 10, lines: 1000))
        let logger = logs.logger("martlet.test")
        for number in 0..<50 { logger.info("line \(number)") }
        try await eventually { other.lines.count == 50 }
        for number in 50..<1000 { logger.info("line \(number)") }
        #expect(await !logs.flush(within: .milliseconds(1)), "a flush is bounded in time")
        let dropped = logs.statistics[0].droppedWhenFull[.info] ?? 0
        #expect(dropped > 0 && logs.statistics[0].queuedBytes <= 16 << 10)
        #expect(stuck.lines.isEmpty)

        stuck.letGo()
        #expect(await logs.flush(within: .seconds(60)))
        try await eventually { stuck.text.contains("Log lines were dropped") }
        #expect(stuck.text.contains(#""dropped_info":\#(dropped)"#))
        #expect(stuck.lines.count == 1000 - dropped + 1)
    }

    @Test func aPlaceThatFailsCostsItsLinesAndTellsWhenItIsWell() async throws {
        let place = MemoryPlace()
        let logs = Logs(into: place)
        let logger = logs.logger("martlet.test")
        place.refuse(true)
        logger.warning("lost")
        #expect(await logs.flush(within: .seconds(60)))
        #expect(logs.statistics[0].droppedWhenUnwritable == [.warning: 1])
        place.refuse(false)
        logger.info("kept")
        try await eventually { place.text.contains(#""dropped_warning":1"#) }
        #expect(place.text.contains("kept") && !place.text.contains("lost"))
    }

    @Test func aFullDeviceIsOnlyAFailedWrite() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var sink = StreamSink(descriptor: descriptor)
        let written = sink.write(Array("a line\n".utf8))
        #expect(written == 0)
    }

    @Test func opensItsPlacesAnewWhenTold() async throws {
        let place = MemoryPlace()
        let logs = Logs(into: place)
        try logs.reload()
        try await eventually { place.timesReopened == 1 }
    }

    @Test func levelsThatCannotBeReadAgainStay() async throws {
        struct Unreadable: Error {}
        let logs = Logs(LogLevels(LogLevelRules(standard: .notice)), [], rules: { throw Unreadable() })
        #expect(throws: Unreadable.self) { try logs.reload() }
        #expect(logs.levels.configured == LogLevelRules(standard: .notice))
    }

    @Test func errorsAloneReachTheirPlace() async {
        let (all, errors) = (MemoryPlace(), MemoryPlace())
        let logs = Logs(LogLevels(), [.init(all.sink, .json, .trace), .init(errors.sink, .json, .error)])
        let logger = logs.logger("martlet.test")
        logger.warning("a warning")
        logger.error("an error")
        #expect(await logs.flush(within: .seconds(60)))
        #expect(all.lines.count == 2)
        #expect(errors.lines.count == 1 && errors.text.contains("an error"))
    }
}
