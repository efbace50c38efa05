import Crypto
import HTTPTypes
import HummingbirdCore
import MartletContract
import MartletCore
import MartletWire
import NIOCore

/// A request's target, taken apart: RFC 9112 §3.2.
struct RequestTarget {
    let path: Substring
    private let query: Substring

    init(_ request: HTTPRequest) {
        let target = request.path ?? "/"
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        path = target[..<mark]
        query = mark < target.endIndex ? target[target.utf8.index(after: mark)...] : ""
    }

    /// The query's names and values, in their order.
    func parameters() throws(Failure) -> [(name: String, value: String)] {
        var parameters: [(String, String)] = []
        for pair in query.split(separator: "&") {
            let mark = pair.firstIndex(of: "=") ?? pair.endIndex
            guard let name = PercentEncoding.decode(pair[..<mark], plusIsSpace: true),
                let value = PercentEncoding.decode(mark < pair.endIndex ? pair[pair.index(after: mark)...] : "", plusIsSpace: true)
            else { throw .malformed("invalid_query", "The query has a broken percent-encoding or is not UTF-8.") }
            parameters.append((name, value))
        }
        return parameters
    }
}

/// What was read of a request.
struct ReadRequest {
    var parts = InputParts()
    /// SHA-256 of the body as it came; `nil` where nobody asks for it.
    var bodyDigest: [UInt8]?
}

/// Reads what an operation takes from a request, within its bounds.
struct RequestReader {
    private let operation: APIOperation
    private let maximumBytes: Int

    init(_ operation: APIOperation, _ policy: HTTPPolicy) {
        self.operation = operation
        maximumBytes = operation.body.maximumBytes ?? policy.maximumBodyBytes
    }

    func read(
        _ request: Request, _ target: RequestTarget, _ parameters: [(name: String, value: String)], on channel: any Channel
    ) async throws -> ReadRequest {
        var read = ReadRequest()
        read.parts.path = parameters
        read.parts.query = try target.parameters()
        guard operation.method != .get, !operation.body.accepts.isEmpty else { return read }
        let bytes = try await body(of: request, on: channel)
        guard bytes.readableBytes > 0 else { return read }
        if operation.takesIdempotencyKey, request.headers.contains(.idempotencyKey) {
            read.bodyDigest = bytes.digest
        }
        try await interpret(bytes, request.headers[.contentType], into: &read.parts)
        return read
    }

    /// Refuses by the declared length and type first; the body is then read no further than allowed.
    private func body(of request: Request, on channel: any Channel) async throws -> ByteBuffer {
        let declared = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard declared <= maximumBytes else { throw UnreadBody(failure: tooLarge) }
        if declared > 0 || request.headers.contains(.transferEncoding) { try checkType(request.headers[.contentType]) }
        if request.headers.contains(.expect) { try await channel.triggerUserOutboundEvent(WireEvent.sendContinue) }
        var whole = ByteBuffer()
        for try await piece in request.body {
            guard whole.readableBytes + piece.readableBytes <= maximumBytes else { throw UnreadBody(failure: tooLarge) }
            if whole.readableBytes == 0 { whole = piece } else { whole.writeImmutableBuffer(piece) }
        }
        return whole
    }

    private func checkType(_ contentType: String?) throws(UnreadBody) {
        let type = contentType.map(MediaType.name)
        guard let type, operation.body.accepts.contains(type), MediaType.isUTF8(contentType ?? "") || type != "application/json" else {
            let accepted = operation.body.accepts.joined(separator: ", ")
            throw UnreadBody(failure: Failure(.unsupportedMedia, "unsupported_media_type", "The Content-Type must be one of: \(accepted)."))
        }
    }

    private func interpret(_ bytes: ByteBuffer, _ contentType: String?, into parts: inout InputParts) async throws {
        try checkType(contentType)
        if operation.body.maximumBytes != nil {
            parts.upload = Upload(contentType: contentType ?? "", bytes: Array(bytes.readableBytesView))
        } else {
            parts.body = try WireJSON.parse(bytes.readableBytesView)
        }
    }

    private var tooLarge: Failure {
        Failure(.tooLarge, "body_too_large", "The body may have at most \(maximumBytes) bytes.")
    }
}

extension ByteBuffer {
    /// SHA-256 of what can be read.
    fileprivate var digest: [UInt8] {
        var hash = SHA256()
        withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }
}

/// The name and parameters of a media type (RFC 9110 §8.3.1).
public enum MediaType {
    /// `text/html` of `Text/HTML; charset=utf-8`.
    public static func name(_ value: String) -> String {
        value.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
    }

    /// Whether no other charset than UTF-8 is named.
    static func isUTF8(_ value: String) -> Bool {
        let lowered = value.lowercased()
        guard let range = lowered.firstRange(of: "charset=") else { return true }
        return lowered[range.upperBound...].prefix { $0 != ";" }.filter { $0 != "\"" && !$0.isWhitespace } == "utf-8"
    }
}
