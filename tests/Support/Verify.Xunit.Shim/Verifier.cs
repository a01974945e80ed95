using System.Diagnostics.Contracts;
using System.Reflection;
using System.Runtime.CompilerServices;
using VerifyTests;

namespace VerifyXunit;

/// <summary>Compares texts with the snapshots beside the tests' sources.</summary>
public static class Verifier
{
    /// <summary>Compares a text with a snapshot of extension <c>txt</c>. Nothing happens before
    /// what is returned is awaited.</summary>
    [Pure]
    public static SettingsTask Verify(
        string? target,
        VerifySettings? settings = null,
        [CallerFilePath] string sourceFile = "")
    {
        string text = target?.TrimStart('\uFEFF') switch
        {
            null => "null",
            "" => "emptyString",
            string some => some,
        };
        return Verify(text, "txt", settings, sourceFile);
    }

    /// <summary>Compares a text with a snapshot of another extension (without the dot). Nothing
    /// happens before what is returned is awaited.</summary>
    [Pure]
    public static SettingsTask Verify(
        string? target,
        string extension,
        VerifySettings? settings = null,
        [CallerFilePath] string sourceFile = "")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sourceFile);
        return new SettingsTask(settings, current =>
        {
            if (!current.IsVerbatim)
            {
                throw new NotSupportedException(
                    "Verify would scrub this text: say DisableScrubbers().");
            }

            MethodInfo method = UseVerifyAttribute.GetMethod();
            SnapshotPaths paths = SnapshotPaths.Claim(current, method, sourceFile);
            TextExtensions.Check(extension);
            return new SnapshotCheck(paths, current).RunAsync(target ?? "null", extension);
        });
    }
}
