import MartletApp
import MartletStorage
import MartletTestKit
import Testing

@Suite("Declared tables", .everyDatabase)
struct DeclaredTables {
    @Test func areAllThereAreWithEveryColumn() async throws {
        try await withApp { test in
            let disagreements = try await StoredTable.disagreements(with: App.tables, test.app.database)
            #expect(disagreements == [])
        }
    }
}
