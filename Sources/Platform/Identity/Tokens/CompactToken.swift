import MartletContract
import MartletCore

/// A signed token (RFC 7515 §7.1), read strictly and not believed yet: nothing in it counts before its signature was checked.
///
/// Read by our own parser, whose bounds hold before anything is decoded. Refused: base64url that is padded or not canonical, JSON that repeats
/// a name, and every member of the header that would change what the token means or where its key comes from: `crit`, `jku`, `jwk`, `x5u`,
/// `x5c`, `zip`, `b64` and whatever else is not ours (RFC 8725 §3, RFC 7515 §4.1.11).
struct CompactToken {
    /// The most bytes of a token of ours.
    static let longest = 4096

    /// What the token says it was signed with. It chooses no key and no way to check: the key has an algorithm of its own.
    let algorithm: TokenAlgorithm
    /// Which key it says it was signed with.
    let keyID: String?
    /// `JWT`, `AT+JWT` (RFC 9068 §2.1), or nothing.
    let type: String?
    let claims: JSON
    let signature: [UInt8]
    /// Header and payload as they came.
    let signedText: [UInt8]

    init(_ text: String, upTo longest: Int = longest) throws(Failure) {
        let parts = text.utf8.count <= longest ? text.split(separator: ".", omittingEmptySubsequences: false) : []
        guard parts.count == 3, let signature = Base64URL.decode(parts[2]) else { throw .invalidToken }
        let header = try Self.object(parts[0])
        claims = .object(try Self.object(parts[1]))
        guard let algorithm = header.text("alg").flatMap(TokenAlgorithm.init), header.allSatisfy(Self.isKnown) else { throw .invalidToken }
        self.algorithm = algorithm
        keyID = header.text("kid")
        type = header.text("typ")?.uppercased()
        self.signature = signature
        signedText = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
    }

    private static func object(_ segment: Substring) throws(Failure) -> [JSON.Member] {
        guard let bytes = Base64URL.decode(segment), case .object(let members) = try parsed(bytes) else { throw .invalidToken }
        return members
    }

    private static func parsed(_ bytes: [UInt8]) throws(Failure) -> JSON {
        do throws(Failure) { return try WireJSON.parse(bytes) } catch { throw .invalidToken }
    }

    private static func isKnown(_ member: JSON.Member) -> Bool {
        switch member.name {
        case "alg": true
        case "kid": member.value.text.map { (1...255).contains($0.utf8.count) } ?? false
        case "typ": member.value.text.map { ["JWT", "AT+JWT"].contains($0.uppercased()) } ?? false
        default: false
        }
    }
}

extension [JSON.Member] {
    fileprivate func text(_ name: String) -> String? { first { $0.name == name }?.value.text }
}

extension Failure {
    static let invalidToken = Failure.unauthenticated("invalid_token", "The access token is not valid.")
    static let tokenExpired = Failure.unauthenticated("token_expired", "The access token has expired.")
}
