namespace ShmCheck.Harness.Shrinking;

/// <summary>How short a counterexample is known to be.</summary>
public enum Certificate
{
    /// <summary>Nothing is known: shrinking was interrupted, or the divergence did not happen
    /// again.</summary>
    None,
    /// <summary>No single removal and no single simplification keeps the fingerprint.</summary>
    OneMinimal,
    /// <summary>One-minimal, and no shorter sequence of calls like its own has the fingerprint.
    /// </summary>
    Shortest,
}

/// <summary>The names of certificates in results.</summary>
public static class CertificateText
{
    /// <summary>For instance <c>1-minimal</c>.</summary>
    public static string Of(Certificate certificate) => certificate switch
    {
        Certificate.None => "none",
        Certificate.OneMinimal => "1-minimal",
        Certificate.Shortest => "shortest",
        _ => throw new ArgumentOutOfRangeException(nameof(certificate), certificate, "unknown"),
    };
}
