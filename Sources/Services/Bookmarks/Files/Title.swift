/// Titles as they are stored and shown: one line of bounded length.
enum Title {
    /// The longest stored title, in characters as a reader counts them.
    static let maximumLength = 200

    /// One line of at most 200 characters, cut between words where that loses little.
    ///
    /// White space is collapsed and control characters are dropped. A longer title keeps its first 197 characters (fewer when the last
    /// space among them comes after the 150th) and ends in `...`. Of any input only the first 512 characters count.
    static func shortened(_ text: some StringProtocol) -> String {
        let characters = Array(text.onOneLine(maximumScalars: 2_048).prefix(512))
        guard characters.count > maximumLength else { return String(characters) }
        var kept = characters.prefix(maximumLength - 3)
        if let space = kept.lastIndex(of: " "), space > 150 { kept = kept.prefix(space) }
        return String(kept) + "..."
    }
}

extension StringProtocol {
    /// White space collapsed to single spaces, none at the ends, and no control characters.
    ///
    /// Stops after `maximumScalars` Unicode scalars: a single character can be made of any number of them.
    func onOneLine(maximumScalars: Int) -> String {
        var line = String.UnicodeScalarView()
        var count = 0
        var owesSpace = false
        for scalar in unicodeScalars where count < maximumScalars {
            if scalar.properties.isWhitespace {
                owesSpace = count > 0
            } else if !scalar.isControl {
                if owesSpace { line.append(" ") }
                line.append(scalar)
                count += owesSpace ? 2 : 1
                owesSpace = false
            }
        }
        return String(line)
    }

    /// Without white space and control characters at the ends: what browsers take off a link (WHATWG URL §4.4).
    func trimmingWhitespace() -> String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.isBlank }), let last = scalars.lastIndex(where: { !$0.isBlank }) else {
            return ""
        }
        return String(self[first...last])
    }
}

extension Unicode.Scalar {
    fileprivate var isBlank: Bool { isASCII ? value <= 0x20 : properties.isWhitespace }
}
