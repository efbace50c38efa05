import NIOCore

/// One whole thing from the server: an answer, or what it says unasked.
enum RESPItem: Hashable, Sendable {
    case reply(RESPValue)
    case push([RESPValue])
}

/// Reads RESP3 from bytes that arrive in any pieces; each byte is looked at once.
///
/// Memory grows with what has arrived, never with what a length promises. After a fault it must not be used again.
struct RESPParser {
    struct Limits: Sendable {
        var depth = 32
        /// Of one string, and of one answer with all that is in it.
        var bytes = 512 << 20
        /// Of what ends with a line break rather than after a given length.
        var line = 64 << 10
    }

    private let limits: Limits
    private var buffer = ByteBuffer()
    /// How many of the readable bytes are known to hold no line break.
    private var scanned = 0
    /// A string whose length is known, and whose bytes are awaited.
    private var awaited: (kind: UInt8, length: Int)?
    private var frames: [Frame] = []
    private var consumed = 0

    init(limits: Limits = Limits()) { self.limits = limits }

    mutating func append(_ bytes: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return buffer = bytes }
        if buffer.readerIndex > 64 << 10 { buffer.discardReadBytes() }
        buffer.writeImmutableBuffer(bytes)
    }

    /// The next item, or `nil` when more bytes are needed.
    mutating func next() throws(RESPFault) -> RESPItem? {
        while let value = try nextValue() {
            if let item = try complete(value) { return item }
        }
        return nil
    }

    /// Puts a value where it belongs, and then what it completes.
    private mutating func complete(_ value: RESPValue) throws(RESPFault) -> RESPItem? {
        var value = value
        while let last = frames.indices.last {
            frames[last].items.append(value)
            guard frames[last].items.count == frames[last].count else { return nil }
            let frame = frames.removeLast()
            switch frame.kind {
            case .array: value = .array(frame.items)
            case .map: value = .map(frame.pairs)
            case .push:
                consumed = 0
                return .push(frame.items)
            case .attribute: return nil
            }
        }
        consumed = 0
        return .reply(value)
    }
}

/// Something with parts, of which some have arrived.
private struct Frame {
    enum Kind { case array, map, push, attribute }

    let kind: Kind
    let count: Int
    var items: [RESPValue] = []

    var pairs: [RESPValue: RESPValue] {
        var pairs: [RESPValue: RESPValue] = [:]
        for index in stride(from: 0, to: items.count - 1, by: 2) { pairs[items[index]] = items[index + 1] }
        return pairs
    }
}

// MARK: Values

extension RESPParser {
    /// The next value without parts, perhaps after beginnings of some with parts.
    private mutating func nextValue() throws(RESPFault) -> RESPValue? {
        while true {
            if let awaited { return try string(awaited.kind, awaited.length) }
            guard let line = try nextLine() else { return nil }
            if let value = try read(line) { return value }
        }
    }

    /// The value of a line, or `nil` when it only begins one.
    private mutating func read(_ line: ByteBufferView) throws(RESPFault) -> RESPValue? {
        guard let kind = line.first else { throw .malformedLine }
        let rest = line.dropFirst()
        switch kind {
        case UInt8(ascii: "+"): return .bytes(Array(rest))
        case UInt8(ascii: "-"): return .error(RedisError(text: String(decoding: rest, as: UTF8.self)))
        case UInt8(ascii: ":"): return .integer(try RESPNumber.integer(rest))
        case UInt8(ascii: ","): return .double(try RESPNumber.double(rest))
        case UInt8(ascii: "("): return .bytes(try RESPNumber.digits(rest))
        case UInt8(ascii: "#"): return .boolean(try RESPNumber.boolean(rest))
        case UInt8(ascii: "_"):
            guard rest.isEmpty else { throw .malformedLine }
            return .null
        case UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "="): return try beginString(kind, rest)
        default: return try begin(kind, rest)
        }
    }

    private mutating func beginString(_ kind: UInt8, _ rest: ByteBufferView) throws(RESPFault) -> RESPValue? {
        guard let length = try RESPNumber.length(rest) else { return .null }
        guard length <= limits.bytes else { throw .tooLong }
        awaited = (kind, length)
        return nil
    }

    private mutating func begin(_ kind: UInt8, _ rest: ByteBufferView) throws(RESPFault) -> RESPValue? {
        let (part, factor) = try Self.frameKind(kind)
        guard let length = try RESPNumber.length(rest) else { return .null }
        let (count, overflow) = length.multipliedReportingOverflow(by: factor)
        guard !overflow else { throw .tooLong }
        if count == 0 { return empty(part) }
        guard frames.count < limits.depth else { throw .tooDeep }
        guard part != .push || frames.isEmpty else { throw .malformedLine }
        frames.append(Frame(kind: part, count: count))
        return nil
    }

    private func empty(_ kind: Frame.Kind) -> RESPValue? {
        switch kind {
        case .array: .array([])
        case .map: .map([:])
        // A push without words says nothing, and neither does an attribute.
        case .push, .attribute: nil
        }
    }

    private static func frameKind(_ kind: UInt8) throws(RESPFault) -> (Frame.Kind, factor: Int) {
        switch kind {
        case UInt8(ascii: "*"), UInt8(ascii: "~"): (.array, 1)
        case UInt8(ascii: "%"): (.map, 2)
        case UInt8(ascii: "|"): (.attribute, 2)
        case UInt8(ascii: ">"): (.push, 1)
        case UInt8(ascii: ";"), UInt8(ascii: "."): throw .streamed
        default: throw .unknownType(kind)
        }
    }
}

// MARK: Bytes

extension RESPParser {
    /// A line without its end, `nil` until that is there.
    private mutating func nextLine() throws(RESPFault) -> ByteBufferView? {
        let view = buffer.readableBytesView
        guard let end = view.dropFirst(scanned).firstIndex(of: UInt8(ascii: "\n")) else {
            scanned = view.count
            guard scanned <= limits.line else { throw .tooLong }
            return nil
        }
        let length = end - view.startIndex
        guard length >= 1, length <= limits.line, view[end - 1] == UInt8(ascii: "\r") else { throw .malformedLine }
        try consume(length + 1)
        return view.prefix(length - 1)
    }

    private mutating func string(_ kind: UInt8, _ length: Int) throws(RESPFault) -> RESPValue? {
        guard buffer.readableBytes >= length + 2 else { return nil }
        let view = buffer.readableBytesView
        guard view.dropFirst(length).prefix(2).elementsEqual([UInt8(ascii: "\r"), UInt8(ascii: "\n")]) else { throw .malformedLine }
        let bytes = view.prefix(length)
        awaited = nil
        try consume(length + 2)
        switch kind {
        case UInt8(ascii: "!"): return .error(RedisError(text: String(decoding: bytes, as: UTF8.self)))
        case UInt8(ascii: "="): return .bytes(try Self.verbatim(bytes))
        default: return .bytes(Array(bytes))
        }
    }

    /// Three letters of a format and a colon come first.
    private static func verbatim(_ bytes: ByteBufferView) throws(RESPFault) -> [UInt8] {
        guard bytes.dropFirst(3).first == UInt8(ascii: ":") else { throw .malformedLine }
        return Array(bytes.dropFirst(4))
    }

    private mutating func consume(_ count: Int) throws(RESPFault) {
        buffer.moveReaderIndex(forwardBy: count)
        scanned = 0
        consumed += count
        guard consumed - count <= limits.bytes else { throw .tooLong }
    }
}
