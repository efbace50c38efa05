import MartletContract

/// Reads a stream of events as it comes in, in pieces of any size (WHATWG HTML §9.2.6). An event that is not complete at the end is lost.
struct EventParser {
    /// The longest line, and the most data of one event, in bytes.
    static let longest = 1 << 20

    /// Of the last event dispatched: where to resume.
    private(set) var lastEventID: String
    /// How long the server asks to wait before resuming.
    private(set) var retry: Duration?
    private var identifier: String
    private var data: [UInt8] = []
    private var hasData = false
    private var line: [UInt8] = []
    private var isFirstLine = true
    private var endedInCarriageReturn = false

    /// - Parameter lastEventID: Of the connection before this one.
    init(after lastEventID: String = "") {
        (self.lastEventID, identifier) = (lastEventID, lastEventID)
    }

    /// The events that are complete with these bytes. Throws ``EventTooLong``, after which it is of no use any more.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(EventTooLong) -> [ServerEvent<String>] {
        var events: [ServerEvent<String>] = []
        for byte in bytes {
            let isSecondOfPair = endedInCarriageReturn && byte == Byte.lineFeed
            endedInCarriageReturn = byte == Byte.carriageReturn
            if isSecondOfPair { continue }
            if byte == Byte.lineFeed || byte == Byte.carriageReturn {
                if let event = try endLine() { events.append(event) }
            } else {
                guard line.count < Self.longest else { throw EventTooLong() }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() throws(EventTooLong) -> ServerEvent<String>? {
        defer { line.removeAll(keepingCapacity: line.capacity <= 4096) }
        var line = line[...]
        if isFirstLine, line.starts(with: Byte.mark) { line = line.dropFirst(Byte.mark.count) }
        isFirstLine = false
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: Byte.colon) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == Byte.space { value = value.dropFirst() }
        try take(value, of: String(decoding: line[..<colon], as: UTF8.self))
        return nil
    }

    /// A line that begins with a colon is a comment: a field without a name.
    private mutating func take(_ value: ArraySlice<UInt8>, of field: String) throws(EventTooLong) {
        switch field {
        case "data":
            guard data.count + value.count < Self.longest else { throw EventTooLong() }
            if hasData { data.append(Byte.lineFeed) }
            data += value
            hasData = true
        case "id" where !value.contains(0): identifier = String(decoding: value, as: UTF8.self)
        case "retry": retry = Self.wait(value) ?? retry
        default: break
        }
    }

    /// An event without data is none, though its identifier counts.
    private mutating func dispatch() -> ServerEvent<String>? {
        lastEventID = identifier
        guard hasData else { return nil }
        defer { (data, hasData) = ([], false) }
        return ServerEvent(id: identifier.isEmpty ? nil : identifier, data: String(decoding: data, as: UTF8.self))
    }

    /// Milliseconds in digits, at most an hour.
    private static func wait(_ value: ArraySlice<UInt8>) -> Duration? {
        guard value.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(String(decoding: value, as: UTF8.self)).map { .milliseconds(min($0, 3_600_000)) }
    }

    private enum Byte {
        static let lineFeed = UInt8(ascii: "\n")
        static let carriageReturn = UInt8(ascii: "\r")
        static let colon = UInt8(ascii: ":")
        static let space = UInt8(ascii: " ")
        /// The byte order mark.
        static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    }
}

/// A line or an event of a stream is longer than 1 MiB.
public struct EventTooLong: Error {}
