/// The name of a result's column, made once per statement for cheap comparison with property names.
public struct ColumnName: Sendable, Hashable {
    public let name: String
    private let camelCase: String
    /// Lower case without underscores: all that is compared when acronyms make the quick comparison fail.
    private let letters: [UInt8]

    public init(_ name: String) {
        self.name = name
        let words = name.split(separator: "_", omittingEmptySubsequences: true)
        camelCase = words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        letters = name.utf8.filter { $0 != UInt8(ascii: "_") }.map(\.asciiLowercased)
    }

    /// Whether a property of that name is read from this column: `ownerID` and `ownerId` from `owner_id`.
    @inline(__always)
    func matches(_ property: String) -> Bool {
        property == camelCase || matchesLetters(property)
    }

    private func matchesLetters(_ property: String) -> Bool {
        var position = 0
        for byte in property.utf8 where byte != UInt8(ascii: "_") {
            guard position < letters.count, letters[position] == byte.asciiLowercased else { return false }
            position += 1
        }
        return position == letters.count
    }
}

extension UInt8 {
    fileprivate var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
