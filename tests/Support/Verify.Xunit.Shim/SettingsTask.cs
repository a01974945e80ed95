using System.Diagnostics.Contracts;
using System.Runtime.CompilerServices;

namespace VerifyTests;

/// <summary>A comparison that starts when it is awaited or converted to a task, and can be told
/// more until then.</summary>
public class SettingsTask
{
    private readonly Func<VerifySettings, Task<VerifyResult>> _start;
    private readonly VerifySettings _settings;
    private Task<VerifyResult>? _task;

    /// <summary>A comparison that has not started.</summary>
    public SettingsTask(
        VerifySettings? settings, Func<VerifySettings, Task<VerifyResult>> buildTask)
    {
        _settings = new VerifySettings(settings);
        _start = buildTask;
    }

    /// <summary>The settings, while they can be changed.</summary>
    /// <exception cref="InvalidOperationException">The comparison has started.</exception>
    public VerifySettings CurrentSettings => _task is null
        ? _settings
        : throw new InvalidOperationException(
            "This SettingsTask instance has already been converted to a Task "
            + "and can no longer be modified.");

    /// <inheritdoc cref="VerifySettings.UseParameters{T}(T)"/>
    [Pure]
    public SettingsTask UseParameters<T>(T parameter) => With(s => s.UseParameters(parameter));

    /// <inheritdoc cref="VerifySettings.UseParameters{T}(T[])"/>
    [Pure]
    public SettingsTask UseParameters<T>(T[] parameters) => With(s => s.UseParameters(parameters));

    /// <inheritdoc cref="VerifySettings.UseParameters(object?[])"/>
    [Pure]
    public SettingsTask UseParameters(params object?[] parameters) =>
        With(s => s.UseParameters(parameters));

    /// <inheritdoc cref="VerifySettings.UseTextForParameters"/>
    [Pure]
    public SettingsTask UseTextForParameters(string parametersText) =>
        With(s => s.UseTextForParameters(parametersText));

    /// <inheritdoc cref="VerifySettings.UseDirectory"/>
    [Pure]
    public SettingsTask UseDirectory(string directory) => With(s => s.UseDirectory(directory));

    /// <inheritdoc cref="VerifySettings.UseFileName"/>
    [Pure]
    public SettingsTask UseFileName(string fileName) => With(s => s.UseFileName(fileName));

    /// <inheritdoc cref="VerifySettings.UseMethodName"/>
    [Pure]
    public SettingsTask UseMethodName(string name) => With(s => s.UseMethodName(name));

    /// <inheritdoc cref="VerifySettings.DisableDiff"/>
    [Pure]
    public SettingsTask DisableDiff() => With(s => s.DisableDiff());

    /// <inheritdoc cref="VerifySettings.DisableScrubbers"/>
    [Pure]
    public SettingsTask DisableScrubbers() => With(s => s.DisableScrubbers());

    /// <inheritdoc cref="VerifySettings.DisableRequireUniquePrefix"/>
    [Pure]
    public SettingsTask DisableRequireUniquePrefix() => With(s => s.DisableRequireUniquePrefix());

    /// <inheritdoc cref="VerifySettings.AutoVerify"/>
    [Pure]
    public SettingsTask AutoVerify(bool includeBuildServer = true, bool throwException = false) =>
        With(s => s.AutoVerify(includeBuildServer, throwException));

    /// <summary>Starts the comparison, if it has not started.</summary>
    [Pure]
    public Task<VerifyResult> ToTask() => _task ??= _start(_settings);

    /// <inheritdoc cref="ToTask"/>
    [Pure]
    public TaskAwaiter<VerifyResult> GetAwaiter() => ToTask().GetAwaiter();

    /// <inheritdoc cref="ToTask"/>
    [Pure]
    public ConfiguredTaskAwaitable<VerifyResult> ConfigureAwait(bool continueOnCapturedContext) =>
        ToTask().ConfigureAwait(continueOnCapturedContext);

    /// <inheritdoc cref="ToTask"/>
    [Pure]
    public static implicit operator Task<VerifyResult>(SettingsTask settingsTask) =>
        settingsTask.ToTask();

    private SettingsTask With(Action<VerifySettings> change)
    {
        change(CurrentSettings);
        return this;
    }
}
