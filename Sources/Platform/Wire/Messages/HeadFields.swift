import HTTPTypes

/// The fields of one head as they arrive, and at its end the rules that span them: host, framing, expectation, persistence.
struct HeadFields {
    private var fields = HTTPFields()
    private var count = 0
    private var host: String?
    private var contentLength: Int?
    private var transferEncoding: TransferEncoding?
    private var expectation: Expectation?
    private var asksToClose = false
    private var asksToStay = false

    private enum TransferEncoding { case chunked, otherThenChunked, malformed }
    private enum Expectation { case `continue`, unknown }

    mutating func add(_ line: FieldLine, maxCount: Int) throws(Refusal) {
        count += 1
        guard count <= maxCount else { throw .headTooLarge }
        guard let field = line.field else { throw .malformedField }
        switch field.name.canonicalName {
        case "host": return try takeHost(line.value)
        case "connection": return takeConnection(field.value)
        case "content-length": try takeLength(line.value)
        case "transfer-encoding": takeEncoding(field.value)
        case "expect": expectation = expectation == nil && line.value.equals("100-continue") ? .continue : .unknown
        default: break
        }
        fields.append(field)
    }

    /// The whole head, or the first rule it breaks.
    mutating func head(_ line: RequestLine, scheme: String, maxBody: Int) throws(Refusal) -> RequestHead {
        let authority = try authority(for: line)
        let body = try framing(for: line, maxBody: maxBody)
        let expects = try expectsContinue(line, body: body)
        let keepsOpen = !asksToClose && (!line.isHTTP10 || asksToStay)
        if !keepsOpen { fields[.connection] = "close" }
        let request = HTTPRequest(method: line.method, scheme: scheme, authority: authority, path: line.path, headerFields: fields)
        return RequestHead(request: request, body: body, isHTTP10: line.isHTTP10, keepsOpen: keepsOpen, expectsContinue: expects)
    }
}

// MARK: Fields

extension HeadFields {
    private mutating func takeHost(_ value: UnsafeRawBufferPointer) throws(Refusal) {
        guard host == nil else { throw .duplicateHost }
        guard Authority.isValid(value) else { throw .malformedHost }
        host = String(decoding: value, as: UTF8.self)
    }

    /// Connection options are the wire's business alone; the endpoint sees `close` or nothing.
    private mutating func takeConnection(_ value: String) {
        for option in value.split(separator: ",") {
            switch option.lowercased().filter({ $0 != " " && $0 != "\t" }) {
            case "close": asksToClose = true
            case "keep-alive": asksToStay = true
            default: break
            }
        }
    }

    /// Digits only, once. Repeated equal lengths are legal to repair (§6.3), but only attackers send them.
    private mutating func takeLength(_ value: UnsafeRawBufferPointer) throws(Refusal) {
        guard contentLength == nil else { throw .ambiguousLength }
        guard (1...18).contains(value.count), ByteClass.digit.containsAll(value) else { throw .malformedLength }
        contentLength = value.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private mutating func takeEncoding(_ value: String) {
        let codings = value.lowercased().split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != " " && $0 != "\t" } }
        if transferEncoding != nil {
            transferEncoding = .malformed
        } else if codings == ["chunked"] {
            transferEncoding = .chunked
        } else {
            let isLast = codings.last == "chunked" && !codings.dropLast().contains("chunked")
            transferEncoding = isLast ? .otherThenChunked : .malformed
        }
    }
}

// MARK: Rules

extension HeadFields {
    /// HTTP/1.1 demands a Host, even beside a target that overrides it (§3.2).
    private func authority(for line: RequestLine) throws(Refusal) -> String? {
        guard host != nil || line.isHTTP10 else { throw .missingHost }
        return line.authority ?? host
    }

    private func framing(for line: RequestLine, maxBody: Int) throws(Refusal) -> BodyFraming {
        if let transferEncoding { return try framing(transferEncoding, line) }
        guard let contentLength, contentLength > 0 else { return .none }
        guard contentLength <= maxBody else { throw .bodyTooLarge }
        return .length(contentLength)
    }

    /// §6.1: a length beside an encoding, or an encoding in HTTP/1.0, is how requests are smuggled.
    private func framing(_ encoding: TransferEncoding, _ line: RequestLine) throws(Refusal) -> BodyFraming {
        guard contentLength == nil, !line.isHTTP10 else { throw .ambiguousLength }
        switch encoding {
        case .chunked: return .chunked
        case .otherThenChunked: throw .unsupportedEncoding
        case .malformed: throw .malformedEncoding
        }
    }

    /// HTTP/1.0 has no expectations (RFC 9110 §10.1.1), and without a body there is nothing to wait for.
    private func expectsContinue(_ line: RequestLine, body: BodyFraming) throws(Refusal) -> Bool {
        guard let expectation, !line.isHTTP10 else { return false }
        guard expectation == .continue else { throw .unknownExpectation }
        return body != .none
    }
}
