using System.Text;

namespace VerifyTests;

/// <summary>Says how a text and its snapshot differ: names first, then both texts in full.
/// </summary>
/// <param name="directory">Directory of both files.</param>
/// <param name="receivedName">Name of the file with what was received.</param>
/// <param name="verifiedName">Name of the file with what is expected.</param>
internal sealed class MismatchMessage(string directory, string receivedName, string verifiedName)
{
    /// <summary>The message.</summary>
    /// <param name="received">The text.</param>
    /// <param name="verified">Its snapshot, or null when there is none.</param>
    /// <param name="stale">Files that belong to no text.</param>
    public string Of(string received, string? verified, IReadOnlyList<string> stale)
    {
        StringBuilder text = new($"Directory: {directory}\n");
        if (verified is null)
        {
            text.Append("New:\n").Append(Names());
        }
        else if (verified != received)
        {
            text.Append("NotEqual:\n").Append(Names());
        }

        if (stale.Count > 0)
        {
            text.Append("Delete:\n");
            stale.ToList().ForEach(path => text.Append($"  - {Path.GetFileName(path)}\n"));
        }

        if (verified == received)
        {
            return text.Append("Equal:\n").Append(Names()).ToString();
        }

        text.Append("\nFileContent:\n\n");
        text.Append(verified is null ? "New:\n\n" : "NotEqual:\n\n");
        text.Append($"Received: {receivedName}\n{received}\n");
        return text.Append(verified is null ? "\n" : $"Verified: {verifiedName}\n{verified}\n\n")
            .ToString();
    }

    private string Names() => $"  - Received: {receivedName}\n    Verified: {verifiedName}\n";
}
