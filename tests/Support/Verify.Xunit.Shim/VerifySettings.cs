namespace VerifyTests;

/// <summary>How one text is compared.</summary>
public class VerifySettings
{
    /// <summary>The settings that hold when nothing is said.</summary>
    public VerifySettings()
    {
    }

    /// <summary>The same settings as another's.</summary>
    /// <remarks>But for the exception of <see cref="AutoVerify"/>, which Verify 31.12.5 does not
    /// copy either.</remarks>
    public VerifySettings(VerifySettings? settings)
    {
        if (settings is null)
        {
            return;
        }

        Parameters = settings.Parameters;
        ParametersText = settings.ParametersText;
        Directory = settings.Directory;
        FileName = settings.FileName;
        MethodName = settings.MethodName;
        IsVerbatim = settings.IsVerbatim;
        AnyPrefix = settings.AnyPrefix;
        Accepts = settings.Accepts;
    }

    internal IReadOnlyList<object?>? Parameters { get; private set; }

    internal string? ParametersText { get; private set; }

    internal string? Directory { get; private set; }

    internal string? FileName { get; private set; }

    internal string? MethodName { get; private set; }

    internal bool IsVerbatim { get; private set; }

    internal bool AnyPrefix { get; private set; }

    internal bool Accepts { get; private set; }

    internal bool ThrowsWhenAccepting { get; private set; }

    /// <summary>Puts one value into the file name.</summary>
    public void UseParameters<T>(T parameter) => UseParameters(new object?[] { parameter });

    /// <summary>Puts one array into the file name.</summary>
    public void UseParameters<T>(T[] parameters) => UseParameters(new object?[] { parameters });

    /// <summary>Puts values into the file name, under the names of the test method's parameters
    /// from the left.</summary>
    public void UseParameters(params object?[] parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfZero(parameters.Length);
        Exclude(FileName, nameof(UseParameters), nameof(UseFileName));
        Exclude(ParametersText, nameof(UseParameters), nameof(UseTextForParameters));
        Parameters = parameters;
    }

    /// <summary>Puts a text into the file name, after an underscore.</summary>
    public void UseTextForParameters(string parametersText)
    {
        ArgumentException.ThrowIfNullOrEmpty(parametersText);
        if (parametersText.StartsWith('.') || parametersText.AsSpan().IndexOfAny('/', '\\') >= 0)
        {
            throw new ArgumentException(
                "Must neither start with a period nor contain a directory separator.",
                nameof(parametersText));
        }

        Exclude(Parameters, nameof(UseTextForParameters), nameof(UseParameters));
        ParametersText = parametersText;
    }

    /// <summary>Puts the files elsewhere; relative to the directory of the source file.</summary>
    public void UseDirectory(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        Directory = directory;
    }

    /// <summary>Replaces type, method and parameters in the file name.</summary>
    public void UseFileName(string fileName)
    {
        CheckFileName(fileName);
        Exclude(MethodName, nameof(UseFileName), nameof(UseMethodName));
        FileName = fileName;
    }

    /// <summary>Replaces the name of the test method in the file name.</summary>
    public void UseMethodName(string name)
    {
        CheckFileName(name);
        Exclude(FileName, nameof(UseMethodName), nameof(UseFileName));
        MethodName = name;
    }

    /// <summary>Starts no program that shows differences. There is none here to be started.
    /// </summary>
#pragma warning disable CA1822 // An instance member as in Verify, where it has an effect.
    public void DisableDiff()
    {
    }
#pragma warning restore CA1822

    /// <summary>Leaves the text as it is, but for line ends. Verify would replace the names of
    /// directories, which is not done here: a comparison without this is refused.</summary>
    public void DisableScrubbers() => IsVerbatim = true;

    /// <summary>Lets more than one comparison in a process use the same files.</summary>
    public void DisableRequireUniquePrefix() => AnyPrefix = true;

    /// <summary>Accepts whatever is received.</summary>
    /// <param name="includeBuildServer">On a build server too.</param>
    /// <param name="throwException">And fails all the same.</param>
    public void AutoVerify(bool includeBuildServer = true, bool throwException = false)
    {
        if (includeBuildServer || !BuildServer.Detected)
        {
            Accepts = true;
            ThrowsWhenAccepting = throwException;
        }
    }

    private static void CheckFileName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) >= 0)
        {
            throw new ArgumentException(
                $"Invalid character for file name. Value: {name}.", nameof(name));
        }
    }

    private static void Exclude(object? other, string name, string otherName)
    {
        if (other is not null)
        {
            throw new InvalidOperationException($"{name} is not compatible with {otherName}.");
        }
    }
}
