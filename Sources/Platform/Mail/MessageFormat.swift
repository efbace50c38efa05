import Foundation
import MartletCore

/// A message as it travels (RFC 5322, RFC 2045): lines of at most 998 bytes that end in CRLF, in ASCII.
struct MessageFormat {
    let sender: Mailbox
    let clock: WallClock

    func bytes(of message: MailMessage) -> [UInt8] {
        let isPlain = Self.isPlain(message.text)
        let lines = [
            "From: <\(sender)>",
            "To: <\(message.to)>",
            "Subject: \(Self.header(message.subject.raw))",
            "Date: \(MailDate.text(clock.now))",
            "Message-ID: <\(UUID().text)@\(sender.domain)>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")",
            // RFC 3834 §5: no vacation notices to this one.
            "Auto-Submitted: auto-generated",
            "",
        ]
        let body =
            isPlain ? message.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) : Self.base64(message.text)
        return Array((lines + body).joined(separator: "\r\n").utf8) + Array("\r\n".utf8)
    }

    /// Whether it can be sent as it is: ASCII, lines short enough, no other control characters than the ends of lines and tabs.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") }
            && text.utf8.split(separator: UInt8(ascii: "\n")).allSatisfy { $0.count <= 900 }
    }

    private static func base64(_ text: String) -> [String] {
        let encoded = Array(Data(text.replacing("\n", with: "\r\n").utf8).base64EncodedString())
        return stride(from: 0, to: encoded.count, by: 76).map { String(encoded[$0..<min($0 + 76, encoded.count)]) }
    }

    /// As it is where that is unambiguous, else as encoded words of at most 75 characters, each with whole characters (RFC 2047 §2, §5).
    private static func header(_ text: String) -> String {
        let isPlain = text.utf8.count <= 60 && !text.contains("=?") && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        if isPlain { return text }
        var words: [String] = [""]
        for scalar in text.unicodeScalars {
            if words[words.count - 1].utf8.count + String(scalar).utf8.count > 45 { words.append("") }
            words[words.count - 1].unicodeScalars.append(scalar)
        }
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }
}

/// A date as mail writes it (RFC 5322 §3.3), in UTC: `Sun, 22 Nov 2026 01:40:15 +0000`.
enum MailDate {
    static func text(_ moment: Date) -> String {
        let seconds = Int(moment.timeIntervalSince1970.rounded(.down))
        let (days, time) = seconds.quotientAndRemainder(flooredBy: 86_400)
        let date = CivilDate.date(onDay: days)
        // 1970-01-01 was a Thursday.
        let weekday = weekdays[(days + 4).quotientAndRemainder(flooredBy: 7).remainder]
        let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
        return "\(weekday), \(date.day) \(months[date.month - 1]) \(date.year) \(clock) +0000"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
