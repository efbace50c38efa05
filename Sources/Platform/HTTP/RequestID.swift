import HTTPTypes
import MartletCore

/// The name of one request, in its answer and in every line of the log.
enum RequestID {
    static let field = HTTPField.Name.requestID

    /// The caller's, when it is 1 to 128 letters, digits, `-`, `_`, `.` or `:`; else a new one.
    static func of(_ request: HTTPRequest) -> String {
        guard let given = request.headerFields[field], isWellFormed(given) else { return Identifier<Call>().description }
        return given
    }

    private static func isWellFormed(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-_.:".utf8.contains(byte)
            }
    }
}
