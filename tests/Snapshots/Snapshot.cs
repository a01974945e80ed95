using System.Diagnostics.Contracts;
using System.Runtime.CompilerServices;

namespace ShmCheck.Snapshots;

/// <summary>The one way in which tests here compare a text with its snapshot,
/// <c>Class.Method.verified.EXT</c> beside the source of the test.</summary>
public static class Snapshot
{
    /// <summary>Compares a text with its snapshot when what is returned is awaited.</summary>
    /// <param name="text">The text, as it is to be read: nothing in it is replaced. Line ends
    /// become LF, and those at its end are dropped.</param>
    /// <param name="ext">Extension of the snapshot, one that stands for plain text.</param>
    /// <param name="src">Path of the test's source.</param>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    [Pure]
    public static SettingsTask Text(
        string text, string ext = "txt", [CallerFilePath] string src = "")
    {
        VerifySettings settings = new();
        settings.DisableScrubbers();
        return Verifier.Verify(Normalise(text), ext, settings, src);
    }

    // Without newlines at the end: one in the file is overlooked, so that an editor that adds it
    // does no harm. With them, an editor that removes it would.
    private static string Normalise(string text)
    {
        string normal = text.TrimStart('\uFEFF').ReplaceLineEndings("\n").TrimEnd('\n');
        return normal.Length > 0
            ? normal
            : throw new ArgumentException("A snapshot of nothing shows nothing.", nameof(text));
    }
}
