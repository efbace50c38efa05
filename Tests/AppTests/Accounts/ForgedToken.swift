import Crypto
import Foundation
import MartletContract
import MartletTestKit

/// An access token made by hand, so that any part of it can be wrong.
struct ForgedToken: Sendable {
    enum Digest: Sendable { case sha256, sha384, sha512, none }

    var header = #"{"alg":"HS256","typ":"JWT"}"#
    var claims: [JSON.Member]
    var key: [UInt8]
    var digest = Digest.sha256
    /// What signs in another way than with `key` and `digest`.
    var sign: (@Sendable (Data) throws -> [UInt8])?
    /// How the header and the claims become segments.
    var segment: @Sendable (String) -> String = { Base64URL.encode(Array($0.utf8)) }
    /// The last touch, after signing.
    var finish: @Sendable (_ header: String, _ payload: String, _ signature: String) -> String = { "\($0).\($1).\($2)" }

    /// One that the server takes: for the user of the session, issued now.
    init(for account: String, at now: Date, key: [UInt8]) {
        let seconds = Int(now.timeIntervalSince1970)
        self.key = key
        claims = [
            .init("sub", .string(account)), .init("iat", .number("\(seconds)")), .init("exp", .number("\(seconds + 1800)")),
            .init("iss", "martlet"), .init("aud", "martlet"), .init("jti", "token-1"), .init("scope", "bookmarks:read"),
        ]
    }

    var text: String {
        get throws {
            let payload = segment(String(decoding: try WireJSON.encode(JSON.object(claims)), as: UTF8.self))
            let header = segment(header)
            return finish(header, payload, Base64URL.encode(try signature(of: "\(header).\(payload)")))
        }
    }

    /// Replaces a claim, or adds it; `nil` removes it.
    mutating func claim(_ name: String, _ value: JSON?) {
        claims.removeAll { $0.name == name }
        if let value { claims.append(.init(name, value)) }
    }

    private func signature(of text: String) throws -> [UInt8] {
        let (key, data) = (SymmetricKey(data: key), Data(text.utf8))
        if let sign { return try sign(data) }
        return switch digest {
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: data, using: key))
        case .sha384: Array(HMAC<SHA384>.authenticationCode(for: data, using: key))
        case .sha512: Array(HMAC<SHA512>.authenticationCode(for: data, using: key))
        case .none: []
        }
    }
}

/// One thing wrong with a token, in words.
struct Forgery: Sendable, CustomStringConvertible {
    let description: String
    let apply: @Sendable (inout ForgedToken) -> Void

    init(_ description: String, _ apply: @escaping @Sendable (inout ForgedToken) -> Void) {
        self.description = description
        self.apply = apply
    }

    static func header(_ text: String) -> Forgery { Forgery("header \(text.prefix(60))") { $0.header = text } }
    static func header(_ text: String, signed digest: ForgedToken.Digest) -> Forgery {
        Forgery("header \(text), signed with \(digest)") {
            $0.header = text
            $0.digest = digest
        }
    }
    static func claim(_ name: String, _ value: JSON) -> Forgery { Forgery("\(name) is another") { $0.claim(name, value) } }
    static func without(_ name: String) -> Forgery { Forgery("without \(name)") { $0.claim(name, nil) } }
    static func sent(_ description: String, _ finish: @escaping @Sendable (String, String, String) -> String) -> Forgery {
        Forgery(description) { $0.finish = finish }
    }
}

extension JSON {
    /// Arrays in one another.
    static func nested(_ depth: Int) -> JSON {
        (0..<depth).reduce(JSON.array([])) { inner, _ in .array([inner]) }
    }
}
