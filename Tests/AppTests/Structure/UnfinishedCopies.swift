import MartletApp
import MartletCore
import MartletStorage
import MartletTestKit
import Testing

@Suite("Unfinished copies", .everyDatabase)
struct UnfinishedCopies {
    @Test func areNotServed() async throws {
        try await withApp { test in
            try await test.app.prepare()
            try await test.app.database.schemaTransaction { try await $0.run(script: "CREATE TABLE data_copy (table_name TEXT)") }
            let refusal = await #expect(throws: Failure.self) { try await test.app.prepare() }
            #expect(refusal?.code == "copy_unfinished")
        }
    }
}
