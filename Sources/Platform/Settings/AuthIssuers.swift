import Foundation
import MartletContract
import MartletCore

/// Somebody else whose access tokens are accepted: an identity provider such as Supabase, Auth0 or Keycloak.
public struct AuthIssuer: Sendable {
    /// What tokens may be signed with (RFC 7518 §3.1, RFC 8037 §3.1).
    public enum Algorithm: String, Sendable, CaseIterable {
        case hs256 = "HS256"
        case rs256 = "RS256"
        case es256 = "ES256"
        case edDSA = "EdDSA"
    }

    /// What its signatures are checked with.
    public enum Keys: Sendable {
        /// A secret shared with it, and the `kid` that its tokens name, if they name one.
        case secret(Secret, id: String?)
        /// The key set that it publishes (RFC 7517) at this URL.
        case published(at: String)
    }

    /// Where a claim is in a token: its name, or the names on the way to it through objects.
    public typealias ClaimPath = [String]

    /// The `iss` claim of its tokens, compared byte by byte.
    public let issuer: String
    /// What its tokens must name as `aud`.
    public let audience: String
    public let algorithms: Set<Algorithm>
    public let keys: Keys
    public let emailClaim: ClaimPath
    public let usernameClaim: ClaimPath
    public let nameClaim: ClaimPath
    /// `nil` where its roles mean nothing here.
    public let rolesClaim: ClaimPath?
    /// What its roles are called here; others mean nothing.
    public let roles: [String: String]
    /// Whether a first sign-in may find the account that has its e-mail address, provided the issuer says that it is verified.
    public let linksVerifiedEmail: Bool
}

extension AuthIssuer {
    static let most = 16

    /// Reads the list of issuers, as JSON.
    static func all(in text: String) throws(Refusal) -> [AuthIssuer] {
        guard case .array(let elements) = try document(text), (1...most).contains(elements.count) else {
            throw Refusal(repair: "Give a JSON array of 1 to \(most) issuers, or the path of a file with one.")
        }
        var issuers: [AuthIssuer] = []
        for (index, element) in elements.enumerated() {
            var members = try IssuerMembers(element, number: index + 1)
            issuers.append(try AuthIssuer(&members))
            try members.end()
        }
        guard Set(issuers.map(\.issuer)).count == issuers.count else { throw Refusal(repair: "Name each issuer once.") }
        return issuers
    }

    /// The parser's own words are left out: the text holds secrets.
    private static func document(_ text: String) throws(Refusal) -> JSON {
        do {
            return try WireJSON.parse(text.utf8)
        } catch {
            throw Refusal(repair: "Give valid JSON, in which no object repeats a name.")
        }
    }

    private init(_ members: inout IssuerMembers) throws(Refusal) {
        issuer = try members.text("issuer")
        audience = try members.text("audience")
        algorithms = try members.algorithms()
        keys = try members.keys(for: algorithms)
        linksVerifiedEmail = try members.flag("link_verified_email")
        roles = try members.names("roles")
        var claims = try members.object("claims")
        emailClaim = try claims.path("email") ?? ["email"]
        usernameClaim = try claims.path("username") ?? ["preferred_username"]
        nameClaim = try claims.path("name") ?? ["name"]
        rolesClaim = try claims.path("roles")
        try claims.end()
        guard roles.isEmpty || rolesClaim != nil else { throw claims.refusal("Say in `claims` where the `roles` are.") }
    }
}

/// The members of an object, each taken once, so that a misspelt one does not go unnoticed.
private struct IssuerMembers {
    private var rest: [String: JSON]
    private let number: Int

    init(_ json: JSON, number: Int) throws(Refusal) {
        guard case .object(let members) = json else { throw Refusal(repair: "Make issuer \(number) a JSON object.") }
        rest = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
        self.number = number
    }

    func refusal(_ repair: String) -> Refusal { Refusal(repair: "Issuer \(number): \(repair)") }

    func end() throws(Refusal) {
        if let name = rest.keys.min() { throw refusal("There is no member `\(Shown.value(name, isSecret: false))`.") }
    }

    mutating func text(_ name: String) throws(Refusal) -> String {
        guard let text = try optionalText(name) else { throw refusal("Give `\(name)`.") }
        return text
    }

    mutating func optionalText(_ name: String) throws(Refusal) -> String? {
        guard let value = rest.removeValue(forKey: name) else { return nil }
        guard let text = value.text, (1...255).contains(text.utf8.count), !text.hasControlCharacters else {
            throw refusal("Make `\(name)` a text of 1 to 255 bytes.")
        }
        return text
    }

    mutating func flag(_ name: String) throws(Refusal) -> Bool {
        switch rest.removeValue(forKey: name) {
        case nil: return false
        case .bool(let value): return value
        default: throw refusal("Make `\(name)` true or false.")
        }
    }

    /// An object that may be left out.
    mutating func object(_ name: String) throws(Refusal) -> IssuerMembers {
        let json = rest.removeValue(forKey: name) ?? .object([])
        guard case .object = json else { throw refusal("Make `\(name)` an object.") }
        return try IssuerMembers(json, number: number)
    }

    /// A name, or a list of the names on the way to what is meant.
    mutating func path(_ name: String) throws(Refusal) -> AuthIssuer.ClaimPath? {
        let parts: [String?]
        switch rest.removeValue(forKey: name) {
        case nil: return nil
        case .string(let text): parts = [text]
        case .array(let elements): parts = elements.map(\.text)
        default: parts = []
        }
        let path = parts.compactMap { $0 }.filter { !$0.isEmpty }
        guard path.count == parts.count, (1...8).contains(path.count) else {
            throw refusal("Make `\(name)` the name of a claim, or a list of the names that lead to it.")
        }
        return path
    }

    mutating func names(_ name: String) throws(Refusal) -> [String: String] {
        let members = try object(name)
        let names = members.rest.compactMapValues(\.text).filter { !$0.value.isEmpty }
        guard names.count == members.rest.count else { throw refusal("Make `\(name)` an object of names and what they are called here.") }
        return names
    }

    mutating func algorithms() throws(Refusal) -> Set<AuthIssuer.Algorithm> {
        guard case .array(let elements)? = rest.removeValue(forKey: "algorithms") else { throw refusal("Give `algorithms`, a list.") }
        let algorithms = elements.compactMap { $0.text.flatMap(AuthIssuer.Algorithm.init) }
        guard !algorithms.isEmpty, algorithms.count == elements.count else {
            throw refusal("Give `algorithms` out of \(AuthIssuer.Algorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return Set(algorithms)
    }

    /// A public key must never be taken for a secret (RFC 8725 §2.1), so an issuer has the one or the other.
    mutating func keys(for algorithms: Set<AuthIssuer.Algorithm>) throws(Refusal) -> AuthIssuer.Keys {
        let (secret, url) = (try optionalText("secret"), try optionalText("jwks_url"))
        switch (secret, url) {
        case (let secret?, nil):
            guard algorithms == [.hs256] else { throw refusal("With a `secret` the only algorithm is HS256.") }
            guard secret.utf8.count >= 32 else { throw refusal("Give a `secret` of at least 32 bytes.") }
            return .secret(Secret(secret), id: try optionalText("key_id"))
        case (nil, let url?):
            guard !algorithms.contains(.hs256) else { throw refusal("HS256 needs a `secret` instead of `jwks_url`.") }
            guard let place = CollectorURL(url), place.isConfidential else {
                throw refusal("Give a `jwks_url` with https://, or http:// on this machine, without login and query.")
            }
            return .published(at: url)
        default: throw refusal("Give either `secret` or `jwks_url`.")
        }
    }
}

extension CollectorURL {
    /// Whether nobody on the way can change what is read there.
    fileprivate var isConfidential: Bool {
        origin.scheme == "https" || ["127.0.0.1", "[::1]", "localhost"].contains(origin.host)
    }
}

extension Kind where Value == [AuthIssuer] {
    /// JSON, or the path of a file that holds it.
    static var authIssuers: Kind {
        Kind("JSON, or path of a file", write: { _ in "" }) { (text, folder) throws(Refusal) in
            let text = text.trimmed
            return try AuthIssuer.all(in: text.hasPrefix("[") ? text : contents(of: text, in: folder))
        }
    }

    private static func contents(of path: String, in folder: WorkingFolder) throws(Refusal) -> String {
        let path = try Kind<String>.readableFile.parse(path, folder)
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw Refusal(repair: "Give the path of a file of UTF-8 text that this user may read.")
        }
    }
}
