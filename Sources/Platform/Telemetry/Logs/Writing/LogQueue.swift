public import Logging

/// The lines between those who log and the one who writes: a pure state machine, bounded in bytes and lines.
///
/// Full, it drops lines and counts them. Lines of level `error` and above may use a reserved eighth.
struct LogQueue {
    struct Line {
        var bytes: [UInt8]
        var level: Logger.Level
    }

    /// What the writer is to do.
    enum Turn {
        case write([Line])
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
    private var lines: [Line] = []
    private var first = 0
    private(set) var bytes = 0
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
    }

    var count: Int { lines.count - first }

    /// Takes a line, or drops it. Returns whether the writer is to be woken.
    mutating func add(_ bytes: [UInt8], _ level: Logger.Level) -> Bool {
        let share = level >= .error ? 8 : 7
        guard self.bytes + bytes.count <= maximumBytes / 8 * share, count < maximumLines / 8 * share else {
            drop(level, \.droppedWhenFull)
            return false
        }
        append(Line(bytes: bytes, level: level))
        return isResting || level >= .error
    }

    private mutating func append(_ line: Line) {
        lines.append(line)
        bytes += line.bytes.count
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
    private mutating func batch() -> [Line] {
        var end = first
        var size = 0
        repeat {
            size += lines[end].bytes.count
            end += 1
        } while end < lines.count && size + lines[end].bytes.count <= batchBytes
        defer { leave(end, size) }
        return Array(lines[first..<end])
    }

    /// Old lines are let go of together, so that taking one does not move all others.
    private mutating func leave(_ end: Int, _ size: Int) {
        bytes -= size
        first = end
        hasWritten = true
        guard first == lines.count || first >= 4096 else { return }
        lines.removeFirst(first)
        first = 0
    }

    /// Notes how far a batch was written: the first `count` of its lines.
    mutating func wrote(_ count: Int, of batch: [Line], notice: ([Logger.Level: Int]) -> [UInt8]) {
        handled += batch.count
        statistics.writtenLines += count
        statistics.writtenBytes += batch.prefix(count).reduce(0) { $0 + $1.bytes.count }
        for line in batch.dropFirst(count) { drop(line.level, \.droppedWhenUnwritable) }
        if count == batch.count, !untold.isEmpty, bytes < maximumBytes / 8 * 7 {
            append(Line(bytes: notice(untold), level: .warning))
            untold = [:]
        }
    }

    mutating func reopen() { wantsReopening = true }
    mutating func hurry() { isHurried = true }
    mutating func end() { isEnding = true }
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
