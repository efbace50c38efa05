/// Turns the raw bytes of an HTML file into text: the character encoding, then the entities.
struct HTMLText {
    /// Used for bytes that are not UTF-8.
    enum Fallback {
        /// Each invalid sequence becomes U+FFFD.
        case replacement
        /// The WHATWG encoding standard reads a declared ISO-8859-1 as windows-1252 too.
        case windows1252
    }

    var fallback: Fallback = .replacement

    /// Takes over what a `<META>` tag declares: `text/html; charset=ISO-8859-1` or the bare name.
    mutating func declare(_ contentType: String) {
        let names = ["iso-8859-1", "windows-1252", "latin1", "cp1252"]
        let declared = contentType.lowercased()
        if names.contains(where: declared.hasSuffix) { fallback = .windows1252 }
    }

    /// Valid UTF-8 is taken as such whatever was declared: text in another encoding hardly ever is by chance.
    func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(validating: bytes, as: UTF8.self) ?? fallbackText(bytes)
        return text.utf8.contains(UInt8(ascii: "&")) ? HTMLEntities.decoded(text) : text
    }

    private func fallbackText(_ bytes: ArraySlice<UInt8>) -> String {
        switch fallback {
        case .replacement: String(decoding: bytes, as: UTF8.self)
        case .windows1252: String(String.UnicodeScalarView(bytes.lazy.map(Windows1252.scalar)))
        }
    }
}

/// The encoding of older Windows exports. Source: WHATWG Encoding, index windows-1252.
enum Windows1252 {
    private static let from0x80: [Unicode.Scalar] = [
        "\u{20AC}", "\u{81}", "\u{201A}", "\u{0192}", "\u{201E}", "\u{2026}", "\u{2020}", "\u{2021}",
        "\u{02C6}", "\u{2030}", "\u{0160}", "\u{2039}", "\u{0152}", "\u{8D}", "\u{017D}", "\u{8F}",
        "\u{90}", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{2022}", "\u{2013}", "\u{2014}",
        "\u{02DC}", "\u{2122}", "\u{0161}", "\u{203A}", "\u{0153}", "\u{9D}", "\u{017E}", "\u{0178}",
    ]

    static func scalar(_ byte: UInt8) -> Unicode.Scalar {
        (0x80...0x9F).contains(byte) ? from0x80[Int(byte) - 0x80] : Unicode.Scalar(byte)
    }
}

/// Character references of HTML: the common names, and numbers. One without its `;` stays as it is, for links contain `&copy=1`.
enum HTMLEntities {
    /// The longest reference looked for, so that a file full of `&` stays linear.
    private static let maximumLength = 12

    static func decoded(_ text: String) -> String {
        var decoded = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let ampersand = rest.firstIndex(of: "&") {
            decoded.append(contentsOf: rest[..<ampersand])
            rest = rest[rest.index(after: ampersand)...]
            if let (scalar, end) = reference(in: rest) {
                decoded.append(scalar)
                rest = rest[rest.index(after: end)...]
            } else {
                decoded.append("&")
            }
        }
        decoded.append(contentsOf: rest)
        return String(decoded)
    }

    private static func reference(in rest: Substring.UnicodeScalarView) -> (Unicode.Scalar, end: String.Index)? {
        guard let end = rest.prefix(maximumLength).firstIndex(where: { !isNameScalar($0) }), rest[end] == ";" else { return nil }
        let name = rest[..<end]
        guard let scalar = name.first == "#" ? number(Substring(name.dropFirst())) : named[String(name)] else { return nil }
        return (scalar, end)
    }

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        guard let byte = UInt8(exactly: scalar.value) else { return false }
        return byte.isASCIILetter || byte.isASCIIDigit || byte == UInt8(ascii: "#")
    }

    /// Numbers that are no character become U+FFFD; 128–159 mean windows-1252 (WHATWG HTML §13.2.5.80).
    private static func number(_ digits: Substring) -> Unicode.Scalar? {
        let isHexadecimal = digits.hasPrefix("x") || digits.hasPrefix("X")
        guard let value = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits) else { return nil }
        if let byte = UInt8(exactly: value), byte != 0 { return Windows1252.scalar(byte) }
        return value == 0 ? "\u{FFFD}" : Unicode.Scalar(value) ?? "\u{FFFD}"
    }

    private static let named: [String: Unicode.Scalar] = {
        let others: [String: Unicode.Scalar] = [
            "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "bull": "\u{2022}", "euro": "\u{20AC}", "hellip": "\u{2026}",
            "laquo": "\u{AB}", "ldquo": "\u{201C}", "lsaquo": "\u{2039}", "lsquo": "\u{2018}", "mdash": "\u{2014}", "ndash": "\u{2013}",
            "oelig": "\u{153}", "OElig": "\u{152}", "rdquo": "\u{201D}", "rsaquo": "\u{203A}", "rsquo": "\u{2019}", "sbquo": "\u{201A}",
            "bdquo": "\u{201E}", "trade": "\u{2122}", "larr": "\u{2190}", "rarr": "\u{2192}", "zwnj": "\u{200C}", "zwj": "\u{200D}",
        ]
        let latin1 = zip(latin1Names.split(separator: " "), UInt8(160)...255).map { (String($0), Unicode.Scalar($1)) }
        return others.merging(latin1) { other, _ in other }
    }()

    /// U+00A0 to U+00FF, in order.
    private static let latin1Names = """
        nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr \
        deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest \
        Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml \
        ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig \
        agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml \
        eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml
        """
}
