public import Foundation
public import MartletStorage

/// A column of sealed values: where they are, and what each is sealed for.
///
/// Stores seal and open by it, and ``SecretRotation`` finds by it what there is to seal anew.
public struct SealedColumn: Sendable {
    let table: SQL
    let key: SQL
    let column: SQL
    /// For people: `totp.secret`.
    public let name: String

    /// - Parameters:
    ///   - table: Its names are the program's own, never from outside.
    ///   - key: The column of UUIDs that names a row.
    public init(table: String, key: String, column: String) {
        (self.table, self.key, self.column) = ("\(unsafeRaw: table)", "\(unsafeRaw: key)", "\(unsafeRaw: column)")
        name = "\(table).\(column)"
    }

    /// Seals the value of a row.
    public func seal(_ bytes: [UInt8], row: UUID, with box: SecretBox) throws -> [UInt8] {
        try box.seal(bytes, for: purpose(row))
    }

    /// Opens the value of a row; throws ``SecretBox/Unreadable`` for that of another.
    public func open(_ sealed: [UInt8], row: UUID, with box: SecretBox) throws(SecretBox.Unreadable) -> [UInt8] {
        try box.open(sealed, for: purpose(row))
    }

    private func purpose(_ row: UUID) -> String { "\(name):\(row.uuidString.lowercased())" }
}
