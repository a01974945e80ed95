namespace ShmCheck.Cli;

/// <summary>How the command ends.</summary>
internal static class ExitCode
{
    /// <summary>Conforms.</summary>
    public const int Conforms = 0;

    /// <summary>A divergence, or a log that the specification does not explain.</summary>
    public const int Diverges = 1;

    /// <summary>Unusable input or arguments.</summary>
    public const int BadInput = 2;

    /// <summary>The system under test could not be started, or died for good.</summary>
    public const int SystemLost = 3;

    /// <summary>Interrupted; what was found is kept.</summary>
    public const int Interrupted = 130;
}
