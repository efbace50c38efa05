/// An answer without a body.
public struct NoContent: Codable, Sendable, Equatable {
    public init() {}
}

/// A request body that is not our JSON: the bytes as sent, and what they are said to be.
public struct Upload: Sendable {
    /// The `Content-Type` header, with its parameters.
    public var contentType: String
    public var bytes: [UInt8]

    public init(contentType: String, bytes: [UInt8]) {
        self.contentType = contentType
        self.bytes = bytes
    }
}

/// An answer that is not JSON, sent while it is made.
public struct Document: Sendable {
    public var contentType: String
    /// Offered as the name to save under.
    public var fileName: String?
    /// The document, piece by piece. A sequence that throws cuts the answer off, so that the receiver sees it is incomplete.
    public var pieces: any AsyncSequence<[UInt8], any Error> & Sendable

    public init(contentType: String, fileName: String? = nil, pieces: any AsyncSequence<[UInt8], any Error> & Sendable) {
        self.contentType = contentType
        self.fileName = fileName
        self.pieces = pieces
    }

    /// Reads all of it, up to a bound in bytes.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in pieces {
            bytes.append(contentsOf: piece)
            guard bytes.count <= limit else { throw DocumentTooLong() }
        }
        return bytes
    }
}

/// A document was longer than the reader allowed.
public struct DocumentTooLong: Error {}
