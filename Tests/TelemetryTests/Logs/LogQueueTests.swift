import Logging
import Testing

@testable import MartletTelemetry

@Suite("The queue of log lines")
struct QueueOfLogLines {
    private let line = [UInt8](repeating: 97, count: 10)

    private func queue(bytes: Int = 80, lines: Int = 1000, batch: Int = 20) -> Queue {
        Queue(LogQueue(maximumBytes: bytes, maximumLines: lines, batchBytes: batch))
    }

    @Test func wakesOnlyAWriterWhoRests() {
        let queue = queue()
        #expect(!queue.add(line, .info), "a writer who has not looked yet will look by itself")
        #expect(queue.turn().isWriting(1))
        #expect(queue.turn().isPause)
        #expect(!queue.add(line, .info), "who pauses looks again soon")
        #expect(queue.add(line, .error), "an error does not wait")
        #expect(queue.turn().isWriting(2))
        #expect(queue.turn().isPause)
        #expect(queue.turn().isRest)
        #expect(queue.add(line, .info))
    }

    @Test func givesWholeLinesUpToABatch() {
        let queue = queue()
        for _ in 0..<5 { queue.add(line, .info) }
        #expect(queue.turn().isWriting(2))
        #expect(queue.turn().isWriting(2), "no pause while a batch is there")
        #expect(queue.turn().isPause)
        #expect(queue.turn().isWriting(1))
        #expect(queue.bytes == 0 && queue.count == 0)
    }

    @Test func givesALineThatIsLongerThanABatchAlone() {
        let queue = queue()
        queue.add([UInt8](repeating: 97, count: 50), .info)
        queue.add(line, .info)
        #expect(queue.turn().isWriting(1))
        #expect(queue.bytes == 10)
    }

    @Test func dropsAndCountsWhatHasNoRoomAndKeepsAnEighthForErrors() {
        let queue = queue()
        for _ in 0..<9 { queue.add(line, .info) }
        #expect(queue.count == 7)
        queue.add(line, .error)
        queue.add(line, .critical)
        #expect(queue.count == 8)
        #expect(queue.statistics.droppedWhenFull == [.info: 2, .critical: 1])
    }

    @Test func boundsTheNumberOfLinesToo() {
        let queue = queue(bytes: 8000, lines: 8)
        for _ in 0..<9 { queue.add([97], .info) }
        #expect(queue.count == 7)
    }

    @Test func tellsWhatWasDroppedWhenThereIsRoomAgain() {
        let queue = queue()
        for _ in 0..<9 { queue.add(line, .info) }
        guard case .write(let batch) = queue.turn() else { return #expect(Bool(false), "there are lines to write") }
        queue.wrote(batch.lines.count, of: batch) { counts in
            #expect(counts == [.info: 2])
            return [98]
        }
        #expect(queue.untold.isEmpty)
        #expect(queue.count == 6, "five lines and the notice")
    }

    @Test func countsLinesThatCouldNotBeWrittenAndTellsOnceItCan() {
        let queue = queue()
        for _ in 0..<2 { queue.add(line, .warning) }
        guard case .write(let batch) = queue.turn() else { return #expect(Bool(false), "there are lines to write") }
        queue.wrote(1, of: batch) { _ in [98] }
        #expect(queue.statistics.writtenLines == 1 && queue.statistics.writtenBytes == 10)
        #expect(queue.statistics.droppedWhenUnwritable == [.warning: 1])
        #expect(queue.count == 0, "nothing is told into a place that fails")
        queue.wrote(0, of: LogQueue.Batch()) { counts in
            #expect(counts == [.warning: 1])
            return [98]
        }
        #expect(queue.count == 1)
    }

    @Test func reopensBeforeTheNextLineAndEndsAfterTheLast() {
        let queue = queue()
        queue.add(line, .info)
        queue.reopen()
        queue.end()
        #expect(queue.turn().isReopening)
        #expect(queue.turn().isWriting(1))
        #expect(queue.turn().isEnd)
    }
}

/// A queue by reference, so that expectations may change it.
@dynamicMemberLookup
private final class Queue {
    private var machine: LogQueue

    init(_ machine: LogQueue) { self.machine = machine }

    subscript<Value>(dynamicMember path: KeyPath<LogQueue, Value>) -> Value { machine[keyPath: path] }

    @discardableResult
    func add(_ bytes: [UInt8], _ level: Logger.Level) -> Bool { machine.add(bytes, level) }
    func turn() -> LogQueue.Turn { machine.turn() }
    func wrote(_ count: Int, of batch: LogQueue.Batch, notice: ([Logger.Level: Int]) -> [UInt8]) {
        var batch = batch
        machine.wrote(count, of: &batch, notice: notice)
    }
    func reopen() { machine.reopen() }
    func end() { machine.end() }
}

extension LogQueue.Turn {
    fileprivate func isWriting(_ count: Int) -> Bool { if case .write(let batch) = self { batch.lines.count == count } else { false } }
    fileprivate var isPause: Bool { if case .pause = self { true } else { false } }
    fileprivate var isRest: Bool { if case .rest = self { true } else { false } }
    fileprivate var isReopening: Bool { if case .reopen = self { true } else { false } }
    fileprivate var isEnd: Bool { if case .end = self { true } else { false } }
}
