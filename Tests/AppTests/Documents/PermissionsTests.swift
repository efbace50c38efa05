import MartletApp
import Testing

@Suite("The document of permissions")
struct DocumentsOfPermissions {
    @Test func isTheCommittedOne() throws {
        let committed = try Checkout.text("docs/permissions.md")
        #expect(committed == PermissionTable.document, "Run `make openapi`: docs/permissions.md differs from what is declared.")
    }
}
