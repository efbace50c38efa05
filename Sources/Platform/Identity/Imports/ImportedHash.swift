import MartletCore

/// A password hash that came with an account from elsewhere: bcrypt, scrypt as Werkzeug writes it, PBKDF2 as Werkzeug and Django do.
///
/// It is checked at the next login and then replaced by one of our own. Its cost is bounded, so that nobody imports a hash whose check
/// would keep the server busy for minutes.
enum ImportedHash: Sendable, Equatable {
    case bcrypt(BcryptHash)
    case scrypt(ScryptHash)
    case pbkdf2(PBKDF2Hash)

    /// Reads a hash. Throws for another form (`unknown_hash`) and for one that costs too much (`hash_too_costly`); what is thrown never
    /// quotes it.
    init(_ text: String) throws(Fault) {
        guard text.utf8.count <= Self.longest else { throw Self.unknown }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        switch parts.first ?? "" {
        case "" where parts.count == 4: self = .bcrypt(try BcryptHash(text, parts))
        case let method where method.hasPrefix("scrypt:"): self = .scrypt(try ScryptHash(parts))
        case let method where method.hasPrefix("pbkdf2:"): self = .pbkdf2(try PBKDF2Hash(werkzeug: parts))
        case let method where method.hasPrefix("pbkdf2_"): self = .pbkdf2(try PBKDF2Hash(django: parts))
        default: throw Self.unknown
        }
    }

    /// Whether the password has the hash. Takes as long as the hash's cost says: to be called where that harms nobody.
    func matches(_ password: String) throws -> Bool {
        switch self {
        case .bcrypt(let hash): try hash.matches(password)
        case .scrypt(let hash): try hash.matches(password)
        case .pbkdf2(let hash): try hash.matches(password)
        }
    }

    /// How many bytes of a password were looked at when the hash was made; `nil` for all.
    var significantBytes: Int? {
        if case .bcrypt = self { BcryptHash.significantBytes } else { nil }
    }

    private static let longest = 512

    static let unknown = Fault(
        code: "unknown_hash", message: "This must be a password hash of bcrypt, scrypt, PBKDF2 or Argon2id, in a form that is known here.")
    static let tooCostly = Fault(code: "hash_too_costly", message: "To check a password by this hash would cost too much.")
}
