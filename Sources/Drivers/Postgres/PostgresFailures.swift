import CPostgres
import MartletStorage

extension SQLFailure {
    /// The failure that a result tells. PostgreSQL's message is used only where it names nothing but the schema and the statement's text.
    init(_ result: OpaquePointer, statement: String?) {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        let state = field("C") ?? "XX000"
        let column = field("c").map { "\(field("t") ?? "").\($0)" }
        let message = state.hasPrefix("42") ? field("M") : nil
        if state == "0A000", field("R") == "RevalidateCachedQuery" {
            self.init(.serialization, code: state, subject: Self.outdatedPlan, statement: statement)
        } else {
            self.init(Kind(sqlState: state), code: state, subject: field("n") ?? column ?? message, statement: statement)
        }
    }

    static func connectionLost(_ statement: String?) -> SQLFailure {
        SQLFailure(.cannotOpen, code: "08006", subject: "the connection was lost", statement: statement)
    }

    /// The server did not keep its own time limit, so it is not there to speak of.
    static func silence(_ statement: String?) -> SQLFailure {
        SQLFailure(.interrupted, code: "57014", subject: "the server does not answer", statement: statement)
    }

    /// Whether the server no longer has the statement as it was prepared: DDL changed it, or a proxy chose another connection.
    var isStalePlan: Bool { code == "26000" || code == "42P05" || subject == Self.outdatedPlan }

    private static let outdatedPlan = "the schema has changed since the statement was prepared"
}

extension SQLFailure.Kind {
    /// By SQLSTATE (PostgreSQL's manual, appendix A).
    init(sqlState: String) {
        self =
            switch sqlState {
            case "23505", "23P01": .unique
            case "23503", "23001": .foreignKey
            case "23514": .check
            case "23502": .notNull
            // The last two are about preparations: made anew, it succeeds.
            case "40001", "40P01", "26000", "42P05": .serialization
            case "55P03", "55006": .busy
            case "57014", "25P03": .interrupted
            case "53100": .full
            case "53200", "58030": .ioError
            case "25006": .readOnly
            case "XX001", "XX002": .corrupt
            case "22001": .tooLarge
            default: Self(stateClass: sqlState.prefix(2), sqlState)
            }
    }

    private init(stateClass: Substring, _ state: String) {
        self =
            switch stateClass {
            case "08", "28", "53", "3D": .cannotOpen
            case "54": .tooLarge
            case "57": .cannotOpen
            default: .statement
            }
    }
}
