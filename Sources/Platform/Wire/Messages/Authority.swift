#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The grammar of `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2); no user information, no empty host.
enum Authority {
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let hostEnd = endOfHost(bytes), hostEnd > 0 else { return false }
        return hostEnd == bytes.count || isPortSuffix(bytes.part(hostEnd..<bytes.count))
    }

    private static func endOfHost(_ bytes: UnsafeRawBufferPointer) -> Int? {
        if bytes.first == Byte.leftBracket { return endOfLiteral(bytes) }
        let end = bytes.firstIndex(of: Byte.colon) ?? bytes.count
        return isRegisteredName(bytes.part(0..<end)) ? end : nil
    }

    private static func isRegisteredName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if ByteClass.registeredName.contains(bytes[index]) {
                index += 1
            } else if isPercentEncoding(bytes, at: index) {
                index += 3
            } else {
                return false
            }
        }
        return true
    }

    private static func isPercentEncoding(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Bool {
        bytes[index] == Byte.percent && index + 2 < bytes.count
            && ByteClass.hexadecimal.contains(bytes[index + 1]) && ByteClass.hexadecimal.contains(bytes[index + 2])
    }

    /// `"[" IPv6address "]"`. The literals of future IP versions have no meaning yet and are refused.
    private static func endOfLiteral(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let close = bytes.firstIndex(of: Byte.rightBracket), close > 1, close <= 46 else { return nil }
        let text = String(decoding: bytes.part(1..<close), as: UTF8.self)
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1 ? close + 1 : nil
    }

    private static func isPortSuffix(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let digits = bytes.part(1..<bytes.count)
        guard bytes[0] == Byte.colon, digits.count <= 5, ByteClass.digit.containsAll(digits) else { return false }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }
}
