extension UInt8 {
    var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isASCIILetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
    var isASCIIHexDigit: Bool { isASCIIDigit || ((self | 0x20) >= 0x61 && (self | 0x20) <= 0x66) }
    /// Space, tab, line feed, form feed and carriage return: what HTML calls white space.
    var isASCIIWhitespace: Bool { self == 0x20 || self == 0x0A || self == 0x09 || self == 0x0D || self == 0x0C }
    var asciiLowerCased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
    var asciiUpperCased: UInt8 { self >= 0x61 && self <= 0x7A ? self & 0xDF : self }
}

extension Unicode.Scalar {
    /// Control characters, white space, and what is invisible or changes the direction of the text around it.
    var isForbiddenInLink: Bool {
        if isASCII { return value <= 0x20 || value == 0x7F }
        let category = properties.generalCategory
        return category == .control || category == .format || properties.isWhitespace
    }

    var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
