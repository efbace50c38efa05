import HTTPTypes
import NIOCore

/// The response side of an HTTP/1.1 connection: one response at a time, framed so that its end can always be found (RFC 9112 §6).
struct ResponseEncoder {
    /// What of the request decides how its response is framed.
    struct Context {
        var isHead = false
        var isHTTP10 = false
        var closes = false
    }

    private enum Framing {
        /// No bytes follow the head: HEAD, 204, 304.
        case none
        case length(remaining: Int)
        case chunked
        /// HTTP/1.0 without a length: the end of the connection is the end of the body.
        case untilClose
    }

    private var framing = Framing.none

    /// Writes an informational response (1xx): a head, and nothing else.
    func informational(_ status: HTTPResponse.Status, _ fields: HTTPFields, into bytes: inout ByteBuffer) {
        writeStatus(status, &bytes)
        writeFields(fields, &bytes)
        bytes.writeStaticString("\r\n")
    }

    /// Writes a final head. Returns whether the connection must close after the response.
    mutating func head(_ response: HTTPResponse, _ context: Context, into bytes: inout ByteBuffer) -> Bool {
        bytes.reserveCapacity(minimumWritableBytes: 512)
        framing = Self.framing(response, context)
        var closes = context.closes
        if case .untilClose = framing { closes = true }
        writeStatus(response.status, &bytes)
        writeFields(response.headerFields, &bytes)
        writeFraming(response, context, &bytes)
        writeConnection(closes: closes, isHTTP10: context.isHTTP10, &bytes)
        bytes.writeStaticString("\r\n")
        return closes
    }

    /// The part of `piece` that may follow, with its chunk framing written around it.
    mutating func body(_ piece: ByteBuffer, write: (ByteBuffer) -> Void) {
        guard piece.readableBytes > 0 else { return }
        switch framing {
        case .none: return
        case .untilClose: write(piece)
        case .chunked:
            write(ByteBuffer(string: String(piece.readableBytes, radix: 16) + "\r\n"))
            write(piece)
            write(ByteBuffer(string: "\r\n"))
        case .length(let remaining):
            guard let allowed = piece.getSlice(at: piece.readerIndex, length: min(remaining, piece.readableBytes)) else { return }
            framing = .length(remaining: remaining - allowed.readableBytes)
            write(allowed)
        }
    }

    /// Writes what ends the body. Returns whether the response is whole: one shorter than it declared can only be cut off.
    mutating func end(into bytes: inout ByteBuffer) -> Bool {
        defer { framing = .none }
        switch framing {
        case .none, .untilClose: return true
        case .length(let remaining): return remaining == 0
        case .chunked:
            bytes.writeStaticString("0\r\n\r\n")
            return true
        }
    }

    private static func framing(_ response: HTTPResponse, _ context: Context) -> Framing {
        if context.isHead || response.status.code == 204 || response.status.code == 304 { return .none }
        if let length = response.declaredLength { return .length(remaining: length) }
        return context.isHTTP10 ? .untilClose : .chunked
    }
}

// MARK: Bytes

extension ResponseEncoder {
    private func writeStatus(_ status: HTTPResponse.Status, _ bytes: inout ByteBuffer) {
        if status == .ok {
            bytes.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            bytes.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
        }
    }

    private func writeFields(_ fields: HTTPFields, _ bytes: inout ByteBuffer) {
        for field in fields where !Self.isOwnedByWire(field.name.canonicalName) {
            bytes.writeString(field.name.rawName)
            bytes.writeStaticString(": ")
            field.withUnsafeBytesOfValue { _ = bytes.writeBytes(UnsafeRawBufferPointer($0)) }
            bytes.writeStaticString("\r\n")
        }
    }

    /// Fields that describe this connection's framing are written from its state, never copied from a response.
    private static func isOwnedByWire(_ name: String) -> Bool {
        switch name {
        case "connection", "content-length", "keep-alive", "transfer-encoding": true
        default: false
        }
    }

    private func writeFraming(_ response: HTTPResponse, _ context: Context, _ bytes: inout ByteBuffer) {
        switch framing {
        case .chunked: bytes.writeStaticString("Transfer-Encoding: chunked\r\n")
        case .length(let length): bytes.writeString("Content-Length: \(length)\r\n")
        case .none:  // the length a GET would have
            if context.isHead, response.status.code != 204, let length = response.declaredLength {
                bytes.writeString("Content-Length: \(length)\r\n")
            }
        case .untilClose: break
        }
    }

    private func writeConnection(closes: Bool, isHTTP10: Bool, _ bytes: inout ByteBuffer) {
        if closes {
            bytes.writeStaticString("Connection: close\r\n")
        } else if isHTTP10 {
            bytes.writeStaticString("Connection: keep-alive\r\n")
        }
    }
}

extension HTTPResponse {
    /// The length this response says it has, if it is a number of bytes.
    var declaredLength: Int? {
        guard let field = headerFields.first(where: { $0.name == .contentLength }), let length = Int(field.value), length >= 0 else {
            return nil
        }
        return length
    }

    /// Whether the responder asks that the connection be closed after this response.
    var asksToClose: Bool {
        guard headerFields.contains(.connection), let connection = headerFields[.connection] else { return false }
        return connection.lowercased().split(separator: ",").contains { $0.filter { $0 != " " && $0 != "\t" } == "close" }
    }
}
