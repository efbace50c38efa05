import HTTPTypes
import NIOCore

/// The request side of an HTTP/1.1 connection as a pure state machine: bytes in, request parts out, strictly in order.
struct RequestReader {
    enum Event {
        case needsMore
        case head(RequestHead)
        case body(ByteBuffer)
        case end
    }

    private enum State {
        case head(HeadReader)
        case length(remaining: Int)
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailers(size: Int, count: Int)
        case failed
    }

    private let limits: WireLimits
    private let isSecure: Bool
    private var state: State
    private var chunkedBytes = 0

    init(limits: WireLimits, isSecure: Bool) {
        self.limits = limits
        self.isSecure = isSecure
        state = .head(HeadReader(limits: limits, isSecure: isSecure))
    }

    /// The next part of the request in `bytes`, whose consumed bytes are removed. After a refusal nothing is read any more.
    mutating func next(_ bytes: inout ByteBuffer) throws(Refusal) -> Event {
        do {
            return try step(&bytes)
        } catch {
            if case .head(let reader) = state { refusedMethodIsHead = reader.method == .head }
            state = .failed
            throw error
        }
    }

    /// Whether the request refused while its head was read is a HEAD request.
    private(set) var refusedMethodIsHead = false

    /// Whether a request has begun whose head is not complete.
    var isInsideHead: Bool {
        if case .head(let reader) = state { return reader.hasBegun }
        return false
    }

    /// Bytes of the body still to come, when that is known.
    var remainingLength: Int? {
        switch state {
        case .length(let remaining): return remaining
        case .head, .failed: return 0
        case .chunkSize, .chunk, .chunkEnd, .trailers: return nil
        }
    }

    private mutating func step(_ bytes: inout ByteBuffer) throws(Refusal) -> Event {
        while true {
            switch state {
            case .head(let reader): return try readHead(reader, &bytes)
            case .length(let remaining): return readBody(remaining, &bytes)
            case .chunkSize:
                guard try readChunkSize(&bytes) else { return .needsMore }
            case .chunk(let remaining): return readChunk(remaining, &bytes)
            case .chunkEnd:
                guard try readChunkEnd(&bytes) else { return .needsMore }
            case .trailers(let size, let count):
                guard let event = try readTrailer(size, count, &bytes) else { continue }
                return event
            case .failed: return .needsMore
            }
        }
    }
}

// MARK: Head and counted bodies

extension RequestReader {
    private mutating func readHead(_ reader: HeadReader, _ bytes: inout ByteBuffer) throws(Refusal) -> Event {
        var reader = reader
        state = .failed  // so that the reader is not copied while it changes
        let outcome = bytes.withUnsafeReadableBytes { view in
            Result { () throws(Refusal) in try reader.read(view) }
        }
        state = .head(reader)
        let (consumed, head) = try outcome.get()
        bytes.moveReaderIndex(forwardBy: consumed)
        guard let head else { return .needsMore }
        begin(head.body)
        return .head(head)
    }

    private mutating func begin(_ body: BodyFraming) {
        chunkedBytes = 0
        switch body {
        case .none: state = .length(remaining: 0)
        case .length(let length): state = .length(remaining: length)
        case .chunked: state = .chunkSize
        }
    }

    private mutating func readBody(_ remaining: Int, _ bytes: inout ByteBuffer) -> Event {
        guard remaining > 0 else { return finish() }
        guard let piece = bytes.readSlice(length: min(remaining, bytes.readableBytes)), piece.readableBytes > 0 else { return .needsMore }
        state = .length(remaining: remaining - piece.readableBytes)
        return .body(piece)
    }

    private mutating func finish() -> Event {
        state = .head(HeadReader(limits: limits, isSecure: isSecure))
        return .end
    }
}

// MARK: Chunked bodies (RFC 9112 §7.1)

extension RequestReader {
    /// A chunk's size line, with its extensions, which mean nothing here; longer ones than this are an attack.
    private static let maxSizeLine = 256

    private mutating func readChunkSize(_ bytes: inout ByteBuffer) throws(Refusal) -> Bool {
        guard let line = try readLine(&bytes, limit: Self.maxSizeLine, tooLong: .malformedChunk) else { return false }
        guard let size = line.withUnsafeReadableBytes(ChunkSize.parse) else { throw .malformedChunk }
        guard size <= limits.maxDeclaredBody - chunkedBytes else { throw .bodyTooLarge }
        chunkedBytes += size
        state = size == 0 ? .trailers(size: 0, count: 0) : .chunk(remaining: size)
        return true
    }

    private mutating func readChunk(_ remaining: Int, _ bytes: inout ByteBuffer) -> Event {
        guard let piece = bytes.readSlice(length: min(remaining, bytes.readableBytes)), piece.readableBytes > 0 else { return .needsMore }
        let left = remaining - piece.readableBytes
        state = left == 0 ? .chunkEnd : .chunk(remaining: left)
        return .body(piece)
    }

    private mutating func readChunkEnd(_ bytes: inout ByteBuffer) throws(Refusal) -> Bool {
        let reader = bytes.readerIndex
        if let first = bytes.getInteger(at: reader, as: UInt8.self), first != Byte.carriageReturn { throw .malformedChunk }
        guard let end = bytes.readInteger(as: UInt16.self) else { return false }
        guard end == 0x0D0A else { throw .malformedChunk }
        state = .chunkSize
        return true
    }

    /// Trailers are checked like fields, bounded like a head, and dropped: nothing here may change the request's meaning.
    private mutating func readTrailer(_ size: Int, _ count: Int, _ bytes: inout ByteBuffer) throws(Refusal) -> Event? {
        let left = limits.maxHeaderBytes - size
        guard let line = try readLine(&bytes, limit: left, tooLong: .headTooLarge) else { return .needsMore }
        if line.readableBytes == 0 { return finish() }
        guard count < limits.maxHeaderCount else { throw .headTooLarge }
        try line.withUnsafeReadableBytes { view in
            Result { () throws(Refusal) in _ = try FieldLine(view) }
        }.get()
        state = .trailers(size: size + line.readableBytes + 2, count: count + 1)
        return nil
    }

    /// The next line without its CR LF, or `nil` while it is incomplete. Lines here are short, so searching again is cheap.
    private func readLine(_ bytes: inout ByteBuffer, limit: Int, tooLong: Refusal) throws(Refusal) -> ByteBuffer? {
        let searchable = min(bytes.readableBytes, max(limit, 0) + 2)
        guard let lineFeed = bytes.withUnsafeReadableBytes({ $0.part(0..<searchable).offset(of: Byte.lineFeed) }) else {
            guard searchable < limit + 2 else { throw tooLong }
            return nil
        }
        let end = bytes.getInteger(at: bytes.readerIndex + lineFeed - 1, as: UInt8.self)
        guard lineFeed > 0, end == Byte.carriageReturn, let line = bytes.readSlice(length: lineFeed - 1) else { throw .bareLineFeed }
        bytes.moveReaderIndex(forwardBy: 2)
        return line
    }
}

/// `chunk-size [ chunk-ext ]`.
enum ChunkSize {
    /// `nil` unless the line is 1–15 hexadecimal digits, alone or before an extension of visible characters.
    static func parse(_ line: UnsafeRawBufferPointer) -> Int? {
        let end = line.firstIndex { !ByteClass.hexadecimal.contains($0) } ?? line.count
        guard (1...15).contains(end), isExtension(line.part(end..<line.count)) else { return nil }
        return line.part(0..<end).reduce(0) { $0 << 4 | value($1) }
    }

    private static func value(_ digit: UInt8) -> Int {
        digit <= 0x39 ? Int(digit - 0x30) : Int(digit | 0x20) - 0x57
    }

    private static func isExtension(_ rest: UnsafeRawBufferPointer) -> Bool {
        guard !rest.isEmpty else { return true }
        let trimmed = rest.trimmed()
        return trimmed.first == Byte.semicolon && trimmed.allSatisfy { ($0 >= Byte.space || $0 == Byte.tab) && $0 != Byte.delete }
    }
}
