import CDeflate
import HTTPTypes
import NIOCore
import Synchronization

/// Gzips whole bodies with libdeflate, where the caller takes it and it helps.
public struct Compression: Sendable {
    private let isEnabled: Bool
    private let minimumBytes: Int
    private let compressors = Compressors()

    public init(isEnabled: Bool = true, minimumBytes: Int = 1024) {
        self.isEnabled = isEnabled
        self.minimumBytes = minimumBytes
    }

    func apply(to answer: inout Answer, for request: HTTPRequest) {
        guard !answer.isEncoded, case .whole(let bytes) = answer.body, !answer.fields.contains(.contentEncoding),
            isWorthwhile(bytes, type: answer.fields[.contentType])
        else { return }
        answer.fields.addVary("Accept-Encoding")
        guard Self.acceptsGzip(request.headerFields[.acceptEncoding]), let compressed = compressed(bytes) else { return }
        answer.body = .whole(compressed)
        answer.fields[.contentEncoding] = "gzip"
    }

    /// Whether a body may be compressed for those who accept that.
    func isWorthwhile(_ body: ByteBuffer, type: String?) -> Bool {
        isEnabled && body.readableBytes >= minimumBytes && type.map(Self.isWorthwhile) == true
    }

    /// `nil` when it does not become shorter.
    func compressed(_ body: ByteBuffer) -> ByteBuffer? {
        guard let compressed = compressors.gzip(body), compressed.readableBytes < body.readableBytes else { return nil }
        return compressed
    }

    private static func isWorthwhile(_ type: String) -> Bool {
        type.hasPrefix("text/") || type.hasPrefix("application/json") || type.hasPrefix("application/problem+json")
            || type.hasPrefix("application/javascript") || type.hasPrefix("image/svg")
    }

    /// RFC 9110 §12.5.3: the most specific entry decides; a weight of 0 refuses.
    static func acceptsGzip(_ value: String?) -> Bool {
        guard let value, value != "identity" else { return false }
        if value == "gzip" { return true }
        var wildcard = false
        for entry in value.split(separator: ",") {
            let parts = entry.lowercased().split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            guard let coding = parts.first, coding == "gzip" || coding == "x-gzip" || coding == "*" else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if coding != "*" { return weight > 0 }
            wildcard = weight > 0
        }
        return wildcard
    }
}

/// libdeflate's compressors: each serves one thread at a time, so they are handed out, and at most a few are kept.
private final class Compressors: Sendable {
    private static let level: Int32 = 6
    private static let kept = 4
    private let idle = Mutex<[Compressor]>([])

    func gzip(_ body: ByteBuffer) -> ByteBuffer? {
        guard let compressor = idle.withLock({ $0.popLast() }) ?? Compressor(level: Self.level) else { return nil }
        defer {
            idle.withLock { if $0.count < Self.kept { $0.append(compressor) } }
        }
        return compressor.gzip(body)
    }
}

/// One compressor. Only its holder uses it, which is what makes sending it safe.
private final class Compressor: @unchecked Sendable {
    private let handle: OpaquePointer

    init?(level: Int32) {
        guard let handle = libdeflate_alloc_compressor(level) else { return nil }
        self.handle = handle
    }

    deinit {
        libdeflate_free_compressor(handle)
    }

    func gzip(_ body: ByteBuffer) -> ByteBuffer? {
        var result = ByteBuffer()
        let bound = libdeflate_gzip_compress_bound(handle, body.readableBytes)
        let written = body.withUnsafeReadableBytes { source in
            result.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
                libdeflate_gzip_compress(handle, source.baseAddress, source.count, target.baseAddress, target.count)
            }
        }
        return written > 0 ? result : nil
    }
}
