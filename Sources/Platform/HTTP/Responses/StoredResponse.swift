import Crypto
import HTTPTypes
import MartletCache
import MartletContract
import NIOCore

/// An answer as it is kept: its bytes as they leave, plain and compressed, with the header fields of each.
///
/// A class, since it is handed to every request that hits it.
final class StoredResponse: Keepable {
    /// One coding of the body.
    struct Representation: Sendable {
        let body: ByteBuffer
        let etag: String
        let fields: HTTPFields
        /// Those of a 304 (RFC 9110 §15.4.5).
        let fieldsWhenUnchanged: HTTPFields
    }

    let plain: Representation
    let gzip: Representation?
    /// The answer itself, when it is not to be kept.
    let unkept: Answer?
    private let common: HTTPFields

    /// - Parameters:
    ///   - common: The fields of both codings.
    ///   - etag: What is in the quotes of the plain one's.
    private init(plain: ByteBuffer, gzip: ByteBuffer?, common: HTTPFields, etag: String, unkept: Answer? = nil) {
        self.plain = Representation(plain, common, etag: "\"\(etag)\"")
        // Another sequence of bytes, so another strong tag (RFC 9110 §8.8.3.3).
        self.gzip = gzip.map { Representation($0, common + [HTTPField(name: .contentEncoding, value: "gzip")], etag: "\"\(etag)-g\"") }
        self.common = common
        self.unkept = unkept
    }

    /// What is to be kept of an answer.
    convenience init(_ answer: Answer, _ rule: ResponseRule, _ compression: Compression) {
        guard case .whole(let body) = answer.body, answer.mayBeKept(isPrivate: rule.isPrivate) else {
            self.init(plain: ByteBuffer(), gzip: nil, common: [:], etag: "", unkept: answer)
            return
        }
        var common = answer.fields
        if !common.contains(.cacheControl) { common.append(rule.cacheControl) }
        let isWorthwhile = compression.isWorthwhile(body, type: common[.contentType])
        if isWorthwhile { common.addVary("Accept-Encoding") }
        for name in rule.varyBy { common.addVary(name.rawName) }
        if rule.isPrivate { common.addVary("Authorization, X-API-Key") }
        let gzip = isWorthwhile ? compression.compressed(body) : nil
        self.init(plain: body, gzip: gzip, common: common, etag: Self.digest(of: body))
    }

    private static func digest(of body: ByteBuffer) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let digest = body.withUnsafeReadableBytes { SHA256.hash(data: $0) }
        let hexadecimal = digest.prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: hexadecimal, as: UTF8.self)
    }
}

extension Answer {
    /// Whether it is as good for the next one who asks; a handler's own `Cache-Control` has the last word.
    fileprivate func mayBeKept(isPrivate: Bool) -> Bool {
        guard status == .ok, !fields.contains(.setCookie) else { return false }
        let control = fields[.cacheControl]?.lowercased() ?? ""
        return !control.contains("no-store") && (isPrivate || !control.contains("private"))
    }
}

extension StoredResponse.Representation {
    fileprivate init(_ body: ByteBuffer, _ common: HTTPFields, etag: String) {
        let tag = HTTPField(name: .eTag, value: etag)
        let unchanged = HTTPFields(common.filter { [.cacheControl, .vary, .expires, .contentLocation].contains($0.name) })
        self.init(body: body, etag: etag, fields: common + [tag], fieldsWhenUnchanged: unchanged + [tag])
    }
}

// MARK: Answering

extension StoredResponse {
    /// The answer to a request, 304 when it already has it.
    func answer(to request: HTTPRequest, age: Duration?) -> Answer {
        if let unkept { return unkept }
        let chosen = Compression.acceptsGzip(request.headerFields[.acceptEncoding]) ? gzip ?? plain : plain
        let isUnchanged = request.headerFields[.ifNoneMatch].map { EntityTag.list($0, contains: chosen.etag) } ?? false
        var answer =
            isUnchanged
            ? Answer(.notModified, fields: chosen.fieldsWhenUnchanged) : Answer(.ok, fields: chosen.fields, body: .whole(chosen.body))
        answer.isEncoded = true
        if let age { answer.fields.append(HTTPField(name: .age, value: "\(max(0, age.components.seconds))")) }
        return answer
    }
}

/// Conditions on what a caller already has (RFC 9110 §13.1.2).
enum EntityTag {
    /// Whether an `If-None-Match` names the tag, by weak comparison.
    static func list(_ value: String, contains tag: String) -> Bool {
        if value == tag { return true }
        var rest = value.utf8[...]
        while let start = rest.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: ",") }) {
            rest = rest[start...]
            if rest.first == UInt8(ascii: "*") { return true }
            if rest.starts(with: "W/".utf8) { rest = rest.dropFirst(2) }
            // A comma may stand within the quotes, so they decide where it ends.
            guard rest.first == UInt8(ascii: "\""), let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else { return false }
            if rest[...end].elementsEqual(tag.utf8) { return true }
            rest = rest[rest.index(after: end)...]
        }
        return false
    }
}

// MARK: Keeping

extension StoredResponse {
    var byteCount: Int { plain.body.readableBytes + (gzip?.body.readableBytes ?? 0) + 2048 }

    private struct Head: Codable {
        var fields: [[String]]
        var etag: String
        var plain: Int
        var gzip: Int?
    }

    /// The length of a head in four bytes, the head as JSON, the bodies.
    func encoded() -> [UInt8] {
        let etag = plain.etag.dropFirst().dropLast()
        let head = Head(
            fields: common.map { [$0.name.rawName, $0.value] }, etag: String(etag), plain: plain.body.readableBytes,
            gzip: gzip?.body.readableBytes)
        // Strings and integers cannot fail to encode.
        let text = (try? WireJSON.encode(head)) ?? []
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(text.count))
        buffer.writeBytes(text)
        buffer.writeImmutableBuffer(plain.body)
        if let gzip { buffer.writeImmutableBuffer(gzip.body) }
        return Array(buffer.readableBytesView)
    }

    convenience init?(encoded bytes: [UInt8]) {
        var buffer = ByteBuffer(bytes: bytes)
        guard let length = buffer.readInteger(as: UInt32.self), let text = buffer.readBytes(length: Int(length)),
            // What another release wrote otherwise counts as not kept.
            let head = try? WireJSON.decode(Head.self, from: text), head.plain >= 0, let plain = buffer.readSlice(length: head.plain)
        else { return nil }
        var gzip: ByteBuffer?
        if let length = head.gzip {
            guard length >= 0, let slice = buffer.readSlice(length: length) else { return nil }
            gzip = slice
        }
        var common = HTTPFields()
        for field in head.fields {
            guard field.count == 2, let name = HTTPField.Name(field[0]) else { return nil }
            common.append(HTTPField(name: name, value: field[1]))
        }
        self.init(plain: plain, gzip: gzip, common: common, etag: head.etag)
    }
}

extension HTTPFields {
    fileprivate static func + (fields: HTTPFields, more: [HTTPField]) -> HTTPFields {
        var fields = fields
        for field in more { fields.append(field) }
        return fields
    }
}
