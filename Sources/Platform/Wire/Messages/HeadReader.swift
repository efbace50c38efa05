import HTTPTypes

/// Reads a request's head line by line as its bytes arrive, so that a fault is refused when it arrives.
///
/// It keeps no bytes: what it consumed it has understood, and it never searches the same byte twice.
struct HeadReader {
    private let limits: WireLimits
    private let scheme: String
    private var requestLine: RequestLine?
    private var fields = HeadFields()
    /// Bytes of the lines already taken, and of the unfinished one already searched for its end.
    private var size = 0
    private var searched = 0
    private var skippedEmptyLine = false

    init(limits: WireLimits, isSecure: Bool) {
        self.limits = limits
        scheme = isSecure ? "https" : "http"
    }

    /// Whether a byte of a request has been seen.
    var hasBegun: Bool { size > 0 || searched > 0 }

    /// Takes every whole line, up to the end of the head.
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(Refusal) -> (consumed: Int, head: RequestHead?) {
        var offset = 0
        while let end = try endOfLine(bytes, from: offset) {
            let line = bytes.part(offset..<end)
            offset = end + 2
            size += line.count + 2
            if let head = try take(line) { return (offset, head) }
        }
        try checkUnfinished(bytes.part(offset..<bytes.count))
        return (offset, nil)
    }

    /// Where the next line's CR LF begins. A lone LF is no line end: some take it for one, and others do not.
    private mutating func endOfLine(_ bytes: UnsafeRawBufferPointer, from offset: Int) throws(Refusal) -> Int? {
        guard let lineFeed = bytes.offset(of: Byte.lineFeed, from: offset + searched) else {
            searched = bytes.count - offset
            return nil
        }
        guard lineFeed > offset, bytes[lineFeed - 1] == Byte.carriageReturn else { throw .bareLineFeed }
        searched = 0
        return lineFeed - 1
    }

    private mutating func take(_ line: UnsafeRawBufferPointer) throws(Refusal) -> RequestHead? {
        guard let requestLine else {
            try takeFirst(line)
            return nil
        }
        guard size <= limits.maxHeaderBytes else { throw .headTooLarge }
        if line.isEmpty { return try fields.head(requestLine, scheme: scheme, maxBody: limits.maxDeclaredBody) }
        try fields.add(FieldLine(line), maxCount: limits.maxHeaderCount)
        return nil
    }

    /// One empty line before a request is forgiven (RFC 9112 §2.2).
    private mutating func takeFirst(_ line: UnsafeRawBufferPointer) throws(Refusal) {
        if line.isEmpty, !skippedEmptyLine {
            skippedEmptyLine = true
            size = 0
        } else {
            requestLine = try RequestLine(line, maxTargetBytes: limits.maxTargetBytes)
            guard size <= limits.maxHeaderBytes else { throw .headTooLarge }
        }
    }

    private func checkUnfinished(_ rest: UnsafeRawBufferPointer) throws(Refusal) {
        guard let first = rest.first else { return }
        if requestLine != nil {
            guard size + rest.count <= limits.maxHeaderBytes else { throw .headTooLarge }
        } else {
            guard ByteClass.token.contains(first) || first == Byte.carriageReturn else { throw .malformedRequestLine }
            guard rest.count <= limits.maxTargetBytes + 32 else { throw .targetTooLong }
        }
    }
}

extension HeadReader {
    /// The method of the request being read, as soon as it is known: HEAD is refused without a body.
    var method: HTTPRequest.Method? { requestLine?.method }
}
