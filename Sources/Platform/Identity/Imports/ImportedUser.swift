import Foundation
import MartletContract
public import MartletCore
import MartletIdentityAPI

/// One line of a file of users.
struct ImportedUser: Decodable, Sendable {
    let email: EmailAddress
    let username: Username
    let name: PersonName?
    let passwordHash: ImportableHash
    /// The moment of the import stands in when it is absent.
    let createdAt: Date?

    private static let schema = Schema.of(ImportedUser.self)

    /// Reads a line of JSON; throws all that is wrong with it, and quotes nothing of it.
    init(line: [UInt8]) throws(RefusedLine.Reason) {
        let json: JSON
        do throws(Failure) {
            json = try WireJSON.parse(line)
        } catch {
            throw RefusedLine.Reason([Fault(code: error.code, message: error.message)])
        }
        let faults = Self.schema.faults(in: json)
        guard faults.isEmpty else { throw RefusedLine.Reason(faults) }
        do {
            self = try WireJSON.decode(ImportedUser.self, from: json)
        } catch {
            // The schema has checked all of it: only a time may still be none.
            throw RefusedLine.Reason([Fault(pointer: "/created_at", code: "invalid_format", message: "This must be a time.")])
        }
    }
}

/// A password hash that may be imported; never printed.
struct ImportableHash: Parsed, Concealed {
    static let schema = Schema.string(length: 1...512, "A password hash of bcrypt, scrypt, PBKDF2 or Argon2id.")
    static let example = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    let raw: String

    init(_ raw: String) throws(Fault) {
        if raw.hasPrefix(Argon2id.prefix) { try Argon2id.checkImportable(raw) } else { _ = try ImportedHash(raw) }
        self.raw = raw
    }
}

/// A line that was not imported, and why.
public struct RefusedLine: Sendable, CustomStringConvertible {
    /// From 1.
    public let number: Int
    public let faults: [Fault]

    /// `line 7: /email: This must be an e-mail address, such as ada@example.org.`
    public var description: String {
        let reasons = faults.map { $0.pointer.isEmpty ? $0.message : "\($0.pointer): \($0.message)" }
        return "line \(number): \(reasons.joined(separator: " "))"
    }

    struct Reason: Error {
        let faults: [Fault]

        init(_ faults: [Fault]) { self.faults = faults }
    }
}
