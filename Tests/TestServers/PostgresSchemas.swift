import Foundation
import MartletPostgres
import MartletStorage
import Synchronization

/// The schemas of one test.
public final class PostgresSchemas: Sendable {
    private let server: String
    private let administrator: PostgresDatabase
    private let created = Mutex<Set<String>>([])

    init(url: String, administrator: PostgresDatabase) {
        server = url
        self.administrator = administrator
    }

    /// A name that no other schema has.
    public static func newName() -> String {
        "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
    }

    /// The URL of a schema: its connections find and make tables there only.
    public func url(of name: String) -> String {
        server + (server.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(name)"
    }

    /// Makes a schema that is dropped after the test. Repeating it changes nothing.
    public func create(_ name: String) async throws {
        guard created.withLock({ $0.insert(name).inserted }) else { return }
        try await administrator.change("CREATE SCHEMA \(unsafeRaw: name)")
    }

    func drop() async throws {
        for name in created.withLock({ $0 }).sorted() {
            try await administrator.change("DROP SCHEMA IF EXISTS \(unsafeRaw: name) CASCADE")
        }
    }
}
