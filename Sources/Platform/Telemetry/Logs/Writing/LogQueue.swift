public import Logging

/// The lines between those who log and the one who writes: a pure state machine, bounded in bytes and lines.
///
/// Full, it drops lines and counts them. Lines of level `error` and above may use a reserved eighth.
struct LogQueue {
    /// Whole lines, one behind the other in one buffer: a buffer for each would be made by one thread and freed by another, which the allocator
    /// pays for with more than all the rest of a line costs.
    struct Batch {
        fileprivate(set) var bytes: [UInt8] = []
        fileprivate(set) var lines: [Line] = []
    }

    /// What is known of a line beside its bytes.
    struct Line {
        let length: Int
        let level: Logger.Level
    }

    /// What the writer is to do.
    enum Turn {
        case write(Batch)
        case reopen
        /// Look again in a moment: whoever logs now need not wake anybody.
        case pause
        /// Wait until somebody wakes you.
        case rest
        case end
    }

    private let maximumBytes: Int
    private let maximumLines: Int
    private let batchBytes: Int
    private var waiting: Batch
    /// What of it has been given out: lines, and their bytes.
    private var (first, offset) = (0, 0)
    /// The buffer of an earlier batch, to be used again.
    private var spare = Batch()
    private(set) var statistics = LogStatistics()
    /// Dropped since somebody was told.
    private(set) var untold: [Logger.Level: Int] = [:]
    private var isResting = false
    private var hasWritten = false
    private var wantsReopening = false
    private var isEnding = false
    private var isHurried = false
    /// How many lines have come and gone, to know when a flush is done.
    private(set) var accepted = 0
    private(set) var handled = 0

    init(maximumBytes: Int, maximumLines: Int, batchBytes: Int) {
        (self.maximumBytes, self.maximumLines, self.batchBytes) = (maximumBytes, maximumLines, batchBytes)
        waiting = Batch()
    }

    var count: Int { waiting.lines.count - first }
    var bytes: Int { waiting.bytes.count - offset }

    /// Takes a line, or drops it. Returns whether the writer is to be woken.
    mutating func add(_ bytes: [UInt8], _ level: Logger.Level) -> Bool {
        let share = level >= .error ? 8 : 7
        guard self.bytes + bytes.count <= maximumBytes / 8 * share, count < maximumLines / 8 * share else {
            drop(level, \.droppedWhenFull)
            return false
        }
        append(bytes, level)
        return isResting || level >= .error
    }

    private mutating func append(_ bytes: [UInt8], _ level: Logger.Level) {
        waiting.append(bytes, level)
        accepted += 1
    }

    private mutating func drop(_ level: Logger.Level, _ reason: WritableKeyPath<LogStatistics, [Logger.Level: Int]>) {
        statistics[keyPath: reason][level, default: 0] += 1
        untold[level, default: 0] += 1
    }

    /// What the writer does next.
    mutating func turn() -> Turn {
        isResting = false
        if wantsReopening {
            wantsReopening = false
            return .reopen
        }
        if hasWritten, bytes < batchBytes, !isHurried, !isEnding {
            hasWritten = false
            return .pause
        }
        if count > 0 { return .write(batch()) }
        if isEnding { return .end }
        (isResting, isHurried, hasWritten) = (true, false, false)
        return .rest
    }

    /// As many whole lines as a batch holds, at least one.
    private mutating func batch() -> Batch {
        hasWritten = true
        if first == 0, bytes <= batchBytes { return everything() }
        var (end, size) = (first, 0)
        repeat {
            size += waiting.lines[end].length
            end += 1
        } while end < waiting.lines.count && size + waiting.lines[end].length <= batchBytes
        defer { leave(end, offset + size) }
        return Batch(bytes: Array(waiting.bytes[offset..<offset + size]), lines: Array(waiting.lines[first..<end]))
    }

    /// As a rule all that waits is one batch, and its buffer changes hands.
    private mutating func everything() -> Batch {
        defer { leave(waiting.lines.count, waiting.bytes.count) }
        return waiting
    }

    /// Old lines are let go of together, so that taking some does not move all others.
    private mutating func leave(_ end: Int, _ size: Int) {
        (first, offset) = (end, size)
        if count == 0 {
            waiting = Batch()
            swap(&waiting, &spare)
        } else if offset >= 4 * batchBytes, offset >= bytes {
            waiting.removeFirst(first, offset)
        } else {
            return
        }
        (first, offset) = (0, 0)
    }

    /// Notes how far a batch was written: the first `count` of its lines. Takes its buffer back.
    mutating func wrote(_ count: Int, of batch: inout Batch, notice: ([Logger.Level: Int]) -> [UInt8]) {
        handled += batch.lines.count
        statistics.writtenLines += count
        statistics.writtenBytes += batch.lines.prefix(count).reduce(0) { $0 + $1.length }
        for line in batch.lines.dropFirst(count) { drop(line.level, \.droppedWhenUnwritable) }
        if count == batch.lines.count, !untold.isEmpty, bytes < maximumBytes / 8 * 7 {
            append(notice(untold), .warning)
            untold = [:]
        }
        batch.removeAll()
        swap(&spare, &batch)
    }

    mutating func reopen() { wantsReopening = true }
    mutating func hurry() { isHurried = true }
    mutating func end() { isEnding = true }
}

extension LogQueue.Batch {
    fileprivate mutating func append(_ line: [UInt8], _ level: Logger.Level) {
        bytes += line
        lines.append(LogQueue.Line(length: line.count, level: level))
    }

    fileprivate mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
    }

    fileprivate mutating func removeFirst(_ count: Int, _ size: Int) {
        lines.removeFirst(count)
        bytes.removeFirst(size)
    }

    /// How many of the lines are whole in the first so many bytes.
    func lines(within size: Int) -> Int {
        var rest = size
        return lines.prefix { line in
            rest -= line.length
            return rest >= 0
        }.count
    }
}

/// Where lines go, by the names that metrics have for it.
public enum LogPlace: String, Sendable, CaseIterable {
    case standardError = "stderr"
    case file
    case errorFile = "error_file"
}

/// What a writer has done so far, for metrics. Counts never fall.
public struct LogStatistics: Sendable, Equatable {
    public internal(set) var place = LogPlace.standardError
    public internal(set) var writtenLines = 0
    public internal(set) var writtenBytes = 0
    /// Lost since more was logged than could be written.
    public internal(set) var droppedWhenFull: [Logger.Level: Int] = [:]
    /// Lost since writing failed: a full disk, a reader that went away.
    public internal(set) var droppedWhenUnwritable: [Logger.Level: Int] = [:]
    /// Waiting at this moment.
    public internal(set) var queuedLines = 0
    public internal(set) var queuedBytes = 0
}
