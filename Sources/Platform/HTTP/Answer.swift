public import HTTPTypes
import HummingbirdCore
public import MartletContract
public import NIOCore

/// What a request is answered with, before it is written to the socket.
public struct Answer: Sendable {
    /// What follows the header.
    public enum Body: Sendable {
        case empty
        case whole(ByteBuffer)
        case document(Document)
        case events(EventFeed)
    }

    public var status: HTTPResponse.Status
    public var fields: HTTPFields
    public var body: Body
    /// Whether its coding has been chosen: it is not compressed any more.
    var isEncoded = false

    public init(_ status: HTTPResponse.Status, fields: HTTPFields = [:], body: Body = .empty) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Bytes of the given media type.
    public init(_ status: HTTPResponse.Status, _ bytes: [UInt8], type: String, fields: HTTPFields = [:]) {
        self.init(status, fields: fields, body: .whole(ByteBuffer(bytes: bytes)))
        self.fields[.contentType] = type
    }

    init(_ document: Document) {
        self.init(.ok, fields: [.contentType: document.contentType], body: .document(document))
        if let name = document.fileName { fields[.contentDisposition] = "attachment; filename=\"\(name)\"" }
    }

    /// The body's length in bytes; `nil` while it is still being made.
    var length: Int? {
        switch body {
        case .empty: 0
        case .whole(let bytes): bytes.readableBytes
        case .document, .events: nil
        }
    }

    /// Writes it. A document whose source fails is cut off, so that the receiver sees it is incomplete.
    ///
    /// - Parameter streams: Those that an answer made of events belongs to.
    func write(to writer: consuming ResponseWriter, isHead: Bool, on channel: any Channel, among streams: EventStreams) async throws {
        var head = HTTPResponse(status: status, headerFields: fields)
        // A 304 has the length of what it stands for, or none (RFC 9110 §8.6).
        if let length, status != .noContent, status != .notModified { head.headerFields[.contentLength] = String(length) }
        switch body {
        case _ where isHead: try await writer.write(response: head, body: ResponseBody())
        case .empty: try await writer.write(response: head, body: ResponseBody())
        case .whole(let bytes): try await writer.write(response: head, body: ResponseBody(byteBuffer: bytes))
        case .document(let document):
            var body = try await writer.writeHead(head)
            for try await piece in document.pieces { try await body.write(ByteBuffer(bytes: piece)) }
            try await body.finish(nil)
        case .events(let feed): try await streams.send(feed, after: head, to: writer, on: channel)
        }
    }
}
